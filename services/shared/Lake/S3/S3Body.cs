using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>An object's bytes as they arrive. A read that brings nothing for <see cref="S3Client.Stall"/>, and an end before the announced length, are transient errors.</summary>
sealed class S3Body(GetObjectResponse response, string where) : Stream
{
    long read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => response.ContentLength;

    public override long Position
    {
        get => read;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(S3Client.Stall);
        try
        {
            var count = await response.ResponseStream.ReadAsync(buffer, patience.Token);
            read += count;
            if (count == 0 && buffer.Length > 0 && read < response.ContentLength) throw new EndOfStreamException($"the connection ended after {read} of {response.ContentLength} bytes");
            return count;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw S3Errors.From(e, "read", where);
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) response.Dispose();
        base.Dispose(disposing);
    }
}
