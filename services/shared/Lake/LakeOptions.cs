namespace LeanPipe.Lake;

/// <summary>Where the lake is and how to reach it. <see cref="ToString"/> never shows a credential.</summary>
public sealed record LakeOptions
{
    public const string RootVariable = "LEANPIPE_LAKE";
    public const string EndpointVariable = "LEANPIPE_S3_ENDPOINT";
    public const string RegionVariable = "LEANPIPE_S3_REGION";
    public const string PathStyleVariable = "LEANPIPE_S3_PATH_STYLE";
    public const string AccessKeyVariable = "AWS_ACCESS_KEY_ID";
    public const string SecretKeyVariable = "AWS_SECRET_ACCESS_KEY";
    public const string SessionTokenVariable = "AWS_SESSION_TOKEN";

    /// <summary>A folder's path, <c>file:///var/lake</c>, or <c>s3://bucket</c> with or without a prefix behind it.</summary>
    public required string Root { get; init; }

    /// <summary>The S3 service's URL; null is AWS itself.</summary>
    public Uri? Endpoint { get; init; }

    public string Region { get; init; } = "us-east-1";

    /// <summary>The bucket stands in the path rather than in the host's name, as most S3 services outside AWS want it. Default: true when there is an endpoint.</summary>
    public bool? PathStyle { get; init; }

    /// <summary>Null takes the SDK's default chain: environment, profile, web identity, instance role.</summary>
    public string? AccessKey { get; init; }

    public string? SecretKey { get; init; }

    public string? SessionToken { get; init; }

    public bool IsS3 => Root.StartsWith("s3://", StringComparison.OrdinalIgnoreCase);

    public static LakeOptions FromEnvironment() => From(Environment.GetEnvironmentVariable);

    /// <summary>The given root, whatever <see cref="RootVariable"/> says; the rest from the environment.</summary>
    public static LakeOptions FromEnvironment(string root) => From(name => name == RootVariable ? root : Environment.GetEnvironmentVariable(name));

    /// <summary>The variables that give a child process the same lake, credentials included.</summary>
    public IReadOnlyDictionary<string, string> ToEnvironment()
    {
        var variables = new Dictionary<string, string>
        {
            [RootVariable] = IsS3 || Root.StartsWith("file:", StringComparison.OrdinalIgnoreCase) ? Root : Path.GetFullPath(Root),
            [RegionVariable] = Region,
        };
        Add(EndpointVariable, Endpoint?.OriginalString);
        Add(PathStyleVariable, PathStyle switch { true => "true", false => "false", null => null });
        Add(AccessKeyVariable, AccessKey);
        Add(SecretKeyVariable, SecretKey);
        Add(SessionTokenVariable, SessionToken);
        return variables;

        void Add(string name, string? value)
        {
            if (value is not null) variables[name] = value;
        }
    }

    public override string ToString() => IsS3
        ? $"{Root} at {Endpoint?.GetLeftPart(UriPartial.Authority) ?? "AWS"}, region {Region}, credentials {(AccessKey is null ? "from the default chain" : "given")}"
        : Root;

    internal static LakeOptions From(Func<string, string?> variable)
    {
        var errors = new List<string>();
        var root = Read(RootVariable);
        if (root is null) errors.Add($"{RootVariable} is not set: give a folder's path or s3://bucket/prefix.");
        var endpoint = Read(EndpointVariable);
        if (endpoint is not null && !Uri.TryCreate(endpoint, UriKind.Absolute, out _))
            errors.Add($"{EndpointVariable} is '{endpoint}', which is no URL: expected http(s)://host[:port].");
        var pathStyle = Read(PathStyleVariable);
        if (pathStyle is not null && !bool.TryParse(pathStyle, out _)) errors.Add($"{PathStyleVariable} is '{pathStyle}': expected true or false.");
        if (errors.Count > 0) throw BadOptions(errors);
        return new()
        {
            Root = root!,
            Endpoint = endpoint is null ? null : new Uri(endpoint),
            Region = Read(RegionVariable) ?? "us-east-1",
            PathStyle = pathStyle is null ? null : bool.Parse(pathStyle),
            AccessKey = Read(AccessKeyVariable),
            SecretKey = Read(SecretKeyVariable),
            SessionToken = Read(SessionTokenVariable),
        };

        string? Read(string name) => variable(name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>Every broken rule, for the operator to repair at once.</summary>
    internal IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(Root)) errors.Add("The lake's root is empty: give a folder's path or s3://bucket/prefix.");
        else if (Root.Contains("://", StringComparison.Ordinal) && !IsS3 && !Root.StartsWith("file://", StringComparison.OrdinalIgnoreCase))
            errors.Add($"The lake's root has the scheme '{Root[..Root.IndexOf(':')]}': expected s3, file or a plain path.");
        if (!IsS3) return errors;
        if (!Uri.TryCreate(Root, UriKind.Absolute, out var uri) || uri.Host.Length < 3 || uri.Query.Length > 0 || uri.UserInfo.Length > 0)
            errors.Add($"The lake's root is no S3 location: expected s3://bucket or s3://bucket/prefix, credentials given separately.");
        else if (uri.AbsolutePath.Trim('/') is { Length: > 0 } prefix && !ObjectKey.IsValid(prefix))
            errors.Add($"The prefix '{prefix}' in the lake's root is not usable: {ObjectKey.Rule}.");
        if (Endpoint is not null && Endpoint.Scheme is not ("http" or "https")) errors.Add($"The S3 endpoint has the scheme '{Endpoint.Scheme}': expected http or https.");
        if ((AccessKey is null) != (SecretKey is null)) errors.Add("Only one of access key and secret key is given: give both, or neither for the default chain.");
        return errors;
    }

    internal static LakeException BadOptions(IReadOnlyList<string> errors) => new("lake.bad_options", string.Join(" ", errors));
}
