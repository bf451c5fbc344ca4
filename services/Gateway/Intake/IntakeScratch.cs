using System.Buffers;
using System.Collections.Concurrent;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>What framing a portion needs beside the portion, and nothing after it: a stream has as many as portions are framed at the same time, not as many as connections.</summary>
sealed class IntakeScratch
{
    public Verdict Verdict { get; } = new();

    /// <summary>Lines that the wire does not hold as they go to the log.</summary>
    public ArrayBufferWriter<byte> Rewritten { get; } = new();

    /// <summary>A record that was decoded and is to be rewritten yet.</summary>
    public ArrayBufferWriter<byte> Decoded { get; } = new();

    public List<Run> Runs { get; } = [];
}

/// <summary>The scratches of one stream. Thread-safe.</summary>
sealed class IntakeScratches
{
    const int MostKept = 32;

    /// <summary>One that grew further with a large portion is the garbage collector's.</summary>
    const int MostKeptBytes = 1024 * 1024;

    readonly ConcurrentQueue<IntakeScratch> _free = new();

    public IntakeScratch Rent() => _free.TryDequeue(out var scratch) ? scratch : new();

    public void Return(IntakeScratch scratch)
    {
        if (_free.Count < MostKept && scratch.Rewritten.Capacity + scratch.Decoded.Capacity <= MostKeptBytes) _free.Enqueue(scratch);
    }
}
