namespace LeanPipe.Cli.Sending;

/// <summary>Frames for one connection or several, in order.</summary>
interface IFrameSource
{
    /// <summary>The next frame with its delimiter; null at the end. May be called by several connections; each frame goes to one of them.</summary>
    ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop);
}
