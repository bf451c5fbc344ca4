using System.Text;
using System.Threading.Channels;
using LeanPipe.Cli.Sending;

namespace LeanPipe.Unit.Cli;

/// <summary>Gives a line to whoever asked first, like a terminal.</summary>
sealed class SlowSource : IFrameSource
{
    readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    public void Give(string line) => _lines.Writer.TryWrite(line);

    public void End() => _lines.Writer.Complete();

    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop)
    {
        if (!await _lines.Reader.WaitToReadAsync(stop)) return null;
        return Encoding.UTF8.GetBytes(await _lines.Reader.ReadAsync(stop) + "\n");
    }
}
