using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace LeanPipe.Gateway.Intake;

/// <summary>The memory that sockets are read into: blocks of 64 KiB, so that a busy connection costs a sixteenth of the system calls and portions that Kestrel's blocks of 4 KiB cost.</summary>
/// <remarks>A block belongs to a connection only while it holds bytes: Kestrel waits for data before it takes one, and the connection gives it back when it has read them. Thread-safe.</remarks>
sealed class ReadBlocks(GatewayOptions options) : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>More than so many are given to the garbage collector, so that a burst of connections is not paid for ever after.</summary>
    const int MostKept = 128;

    readonly int _blockBytes = options.Buffers.SocketBlockBytes;
    readonly ConcurrentQueue<Block> _free = new();

    public override int MaxBufferSize => _blockBytes;

    /// <summary>One pool for all of Kestrel's threads.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, _blockBytes);
        return _free.TryDequeue(out var block) ? block.Taken() : new Block(this);
    }

    /// <summary>Nothing to do: Kestrel disposes of a pool while connections that end later still hold blocks of it, and blocks are the garbage collector's.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    void Return(Block block)
    {
        if (_free.Count < MostKept) _free.Enqueue(block);
    }

    /// <summary>Pinned, as the system writes into it.</summary>
    sealed class Block(ReadBlocks pool) : IMemoryOwner<byte>
    {
        readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(pool._blockBytes, pinned: true);
        int _isFree;

        public Memory<byte> Memory => _bytes;

        public Block Taken()
        {
            Volatile.Write(ref _isFree, 0);
            return this;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isFree, 1) == 0) pool.Return(this);
        }
    }
}
