namespace LeanPipe.Tables;

/// <summary>Rewrites of files come one at a time in a process, whatever tables and runs they are of: so what one of them may use of the machine is all that they use together.</summary>
static class RewriteTurns
{
    static readonly SemaphoreSlim One = new(1);

    /// <summary>Waits for the turn, which lasts until what is returned is disposed. Nobody may ask for one while it has one.</summary>
    public static async Task<IDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        await One.WaitAsync(cancellationToken);
        return new Turn();
    }

    sealed class Turn : IDisposable
    {
        int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0) One.Release();
        }
    }
}
