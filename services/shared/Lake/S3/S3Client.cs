using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.S3;

namespace LeanPipe.Lake;

/// <summary>The SDK's client, set so that it works with S3 services other than AWS too.</summary>
static class S3Client
{
    /// <summary>For one request and its answer's head; bodies have <see cref="Stall"/>. Long enough for one part over a slow line.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(100);

    /// <summary>A download that brings no byte for so long has failed.</summary>
    public static readonly TimeSpan Stall = TimeSpan.FromSeconds(30);

    public static AmazonS3Client Open(LakeOptions options, int retries)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle ?? options.Endpoint is not null,
            AuthenticationRegion = options.Region,
            // The SDK's newer default checksums are refused by older services; TLS or the signature over the payload covers the transport.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            // Of a body that is sent: the SDK's own 8 KiB are a system call each.
            BufferSize = 128 * 1024,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = retries,
            Timeout = RequestTimeout,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if (options.Endpoint is { } endpoint) config.ServiceURL = endpoint.AbsoluteUri;
        else config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(options.Region);

        return options switch
        {
            { AccessKey: null } => new Client(config),
            { SessionToken: { } token } => new Client(new SessionAWSCredentials(options.AccessKey, options.SecretKey, token), config),
            _ => new Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), config),
        };
    }

    sealed class Client : AmazonS3Client
    {
        public Client(AmazonS3Config config)
            : base(config)
        {
        }

        public Client(AWSCredentials credentials, AmazonS3Config config)
            : base(credentials, config)
        {
        }

        protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
        {
            base.CustomizeRuntimePipeline(pipeline);
            pipeline.AddHandlerAfter<Marshaller>(new S3KnownChecksum());
        }
    }
}
