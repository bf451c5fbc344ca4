namespace LeanPipe.Tables;

/// <summary>Work of one kind comes one at a time in a process, whatever tables and runs it is of: so what one piece of it may use of the machine is all that they use together.</summary>
sealed class TableTurns
{
    /// <summary>Files are written anew.</summary>
    public static readonly TableTurns Rewrites = new();

    /// <summary>Checkpoints are read or written; also by who has a turn to rewrite, so they have turns of their own.</summary>
    public static readonly TableTurns Checkpoints = new();

    readonly SemaphoreSlim _one = new(1);

    /// <summary>Waits for the turn, which lasts until what is returned is disposed. Nobody may ask for one of a kind while it has one.</summary>
    public async Task<IDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        return new Turn(_one);
    }

    sealed class Turn(SemaphoreSlim one) : IDisposable
    {
        int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0) one.Release();
        }
    }
}
