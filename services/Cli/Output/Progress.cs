namespace LeanPipe.Cli.Output;

/// <summary>A line that says how far something is: rewritten in place on a terminal, otherwise repeated now and then.</summary>
sealed class Progress(TextWriter output, bool isTerminal, TimeProvider time)
{
    const int Width = 118;
    static readonly TimeSpan RepeatEvery = TimeSpan.FromSeconds(2);

    readonly Lock _lock = new();
    string _shown = "";
    long? _printedAt;

    public void Show(string line)
    {
        lock (_lock)
        {
            if (line == _shown) return;
            if (isTerminal)
            {
                output.Write($"\r{(line.Length > Width ? line[..Width] : line).PadRight(Math.Min(Width, _shown.Length))}");
                output.Flush();
            }
            else if (_printedAt is null || time.GetElapsedTime(_printedAt.Value) >= RepeatEvery)
            {
                output.WriteLine(line);
                _printedAt = time.GetTimestamp();
            }
            _shown = line;
        }
    }

    /// <summary>A line that stays.</summary>
    public void Print(string line)
    {
        lock (_lock)
        {
            if (isTerminal && _shown.Length > 0) output.Write($"\r{new string(' ', Math.Min(Width, _shown.Length))}\r");
            _shown = "";
            output.WriteLine(line);
        }
    }

    /// <summary>Takes the moving line away.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            if (isTerminal && _shown.Length > 0) output.Write($"\r{new string(' ', Math.Min(Width, _shown.Length))}\r");
            _shown = "";
        }
    }
}
