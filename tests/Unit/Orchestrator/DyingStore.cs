using LeanPipe.Lake;

namespace LeanPipe.Unit.Orchestrator;

sealed class DiedException : Exception;

/// <summary>The process dies before its n-th durable write: that one and everything after it fails.</summary>
sealed class DyingStore(IObjectStore inner, int dieBefore) : ForwardingStore(inner)
{
    int _writes;
    bool _dead;

    public int Writes => _writes;

    protected override IObjectStore Read() => _dead ? throw new DiedException() : base.Read();

    protected override IObjectStore Write()
    {
        if (Interlocked.Increment(ref _writes) >= dieBefore) _dead = true;
        return Read();
    }
}
