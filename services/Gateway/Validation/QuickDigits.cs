using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace LeanPipe.Gateway.Validation;

/// <summary>Runs of ASCII digits, eight at a time in one word.</summary>
static class QuickDigits
{
    /// <summary>So many digits fit an unsigned word whatever they are.</summary>
    public const int Most = 19;

    static readonly ulong[] Powers = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

    /// <summary>Reads digits from a place on.</summary>
    /// <param name="value">What came before on entry, so that a fraction can follow its whole part.</param>
    /// <returns>Where they end; <paramref name="at"/> when there are none. Callers refuse more than <see cref="Most"/> digits, for then the value has run over.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(ref byte text, int at, int end, ref ulong value)
    {
        while (true)
        {
            var word = end - at >= 8 ? Word(ref Unsafe.Add(ref text, at)) : ShortWord(ref text, at, end);

            // A byte is a digit when it is at most 9 after this; the first that is not has its top bit set below, and carries only reach bytes behind it.
            word ^= 0x3030303030303030;
            var others = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
            if (others == 0)
            {
                value = value * 100_000_000 + Eight(word);
                at += 8;
                continue;
            }
            var count = BitOperations.TrailingZeroCount(others) >> 3;
            if (count == 0) return at;
            value = value * Powers[count] + Eight(word << (64 - 8 * count));
            return at + count;
        }
    }

    /// <summary>The number that eight digits make, the first of them in the lowest byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Eight(ulong digits)
    {
        digits = (digits * 2561) >> 8;
        digits = ((digits & 0x00FF00FF00FF00FF) * 6553601) >> 16;
        return ((digits & 0x0000FFFF0000FFFF) * 42949672960001) >> 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Word(ref byte at) => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<ulong>(ref at) : BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref at));

    /// <summary>What is left before the end, filled up with bytes that are no digits.</summary>
    static ulong ShortWord(ref byte text, int at, int end)
    {
        var word = 0UL;
        for (var i = end - 1; i >= at; i--) word = (word << 8) | Unsafe.Add(ref text, i);
        return word;
    }
}
