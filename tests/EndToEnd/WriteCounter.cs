namespace LeanPipe.EndToEnd;

/// <summary>Counts what happens to the files below a folder, so that a test can act at the n-th write instead of after some time.</summary>
sealed class WriteCounter : IDisposable
{
    readonly FileSystemWatcher watcher;
    readonly Lock gate = new();
    readonly List<(int Count, TaskCompletionSource Reached)> waiting = [];
    int count;

    public WriteCounter(string folder)
    {
        watcher = new(folder) { IncludeSubdirectories = true, InternalBufferSize = 1 << 16, NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
        watcher.Created += (_, _) => Add();
        watcher.Changed += (_, _) => Add();
        watcher.Renamed += (_, _) => Add();
        watcher.Deleted += (_, _) => Add();
        watcher.EnableRaisingEvents = true;
    }

    public int Count
    {
        get { lock (gate) return count; }
    }

    public Task ReachesAsync(int atLeast)
    {
        lock (gate)
        {
            if (count >= atLeast) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add((atLeast, reached));
            return reached.Task.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => watcher.Dispose();

    void Add()
    {
        lock (gate)
        {
            count++;
            foreach (var (_, reached) in waiting.Where(w => w.Count <= count)) reached.TrySetResult();
            waiting.RemoveAll(w => w.Count <= count);
        }
    }
}
