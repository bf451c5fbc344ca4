using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>An object's bytes as they arrive. A read that brings nothing for <see cref="S3Client.Stall"/>, and an end before the announced length, are transient errors.</summary>
sealed class S3Body(GetObjectResponse response, string where) : Stream
{
    CancellationTokenSource patience = new();
    CancellationTokenRegistration following;
    CancellationToken followed;
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
        Follow(cancellationToken);
        try
        {
            var reading = response.ResponseStream.ReadAsync(buffer, patience.Token);
            // What is there already needs no timer.
            if (!reading.IsCompleted) patience.CancelAfter(S3Client.Stall);
            var count = await reading;
            read += count;
            if (count == 0 && buffer.Length > 0 && read < response.ContentLength) throw new EndOfStreamException($"the connection ended after {read} of {response.ContentLength} bytes");
            return count;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw S3Errors.From(e, "read", where);
        }
    }

    /// <summary>One source of cancellation for all reads: the caller's token is mostly the same, and the timer of a read that is over stops.</summary>
    void Follow(CancellationToken cancellationToken)
    {
        if (patience.TryReset() && followed == cancellationToken) return;
        following.Dispose();
        if (patience.IsCancellationRequested)
        {
            patience.Dispose();
            patience = new();
        }
        followed = cancellationToken;
        following = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), patience);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            response.Dispose();
            following.Dispose();
            patience.Dispose();
        }
        base.Dispose(disposing);
    }
}
