namespace LeanPipe.Orchestrator;

/// <summary>Step runners that are kept running (<c>steprunner serve</c>), and which tasks they get.</summary>
public sealed record WarmOptions
{
    /// <summary>host:port each. A name is asked for all of its addresses, as a headless Service gives them.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>The secret that they know.</summary>
    public required string Token { get; init; }

    /// <summary>A task with more input gets a container of its own.</summary>
    public long MaxInputBytes { get; init; } = 64L << 20;

    /// <summary>One that does not answer within this time is passed over.</summary>
    public TimeSpan ConnectWithin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>One that says nothing for so long, while it should every five seconds, counts as dead.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Never with the token.</summary>
    public override string ToString() => $"{string.Join(", ", Addresses)}, tasks up to {MaxInputBytes} bytes";

    internal static WarmOptions? FromEnvironment(Func<string, string?> variable, List<string> errors)
    {
        if (variable("LEANPIPE_WARM_AT") is not { Length: > 0 } at) return null;
        var options = new WarmOptions { Addresses = at.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), Token = variable("LEANPIPE_WARM_TOKEN") ?? "" };
        if (options.Token.Length == 0) errors.Add("LEANPIPE_WARM_TOKEN is not set: give the secret of the step runners at LEANPIPE_WARM_AT.");
        errors.AddRange(options.Addresses.Where(a => WarmAddress.Parse(a) is null).Select(a => $"LEANPIPE_WARM_AT holds '{a}': expected host:port."));
        return options with { MaxInputBytes = EnvironmentText.Bytes(variable, "LEANPIPE_WARM_MAX_INPUT", errors) ?? options.MaxInputBytes };
    }
}
