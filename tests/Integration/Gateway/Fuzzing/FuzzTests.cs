namespace LeanPipe.Integration.Gateway.Fuzzing;

/// <summary>
/// Generated frames, right, mutated and garbage, over every framing and every decoder: nothing crashes, a connection holds no more than a frame, every byte and every frame is in the ledger once, and every
/// line that would stand in a segment is a record of its schema. LEANPIPE_TEST_FRAMES sets how many (a million by default), LEANPIPE_TEST_SEED where they begin.
/// </summary>
[Collection("allocations")]
public sealed class FuzzTests
{
    /// <summary>What the tests' own data and the runtime may add; a leak of a byte per frame shows in the large run.</summary>
    const long MemoryBytes = 128L << 20;

    const int FramesPerConnection = 200;

    static readonly int Frames = int.Parse(Environment.GetEnvironmentVariable("LEANPIPE_TEST_FRAMES") ?? "1000000");
    static readonly int Seed = int.Parse(Environment.GetEnvironmentVariable("LEANPIPE_TEST_SEED") ?? "20260101");

    /// <summary>Bytes that mean something to a framing or a decoder.</summary>
    static readonly byte[] Telling = "\"\\{}[]=:,;\n\r\0 <>-"u8.ToArray();

    [Fact]
    public async Task Generated_frames_are_all_accounted_for()
    {
        var perCase = Frames / (FormatCases.Framings.Count * FormatCases.Decoders.Count);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        long frames = 0, records = 0;
        var number = Seed;
        foreach (var framing in FormatCases.Framings)
        {
            foreach (var decoder in FormatCases.Decoders)
            {
                var what = $"{framing.Name}, {decoder.Name}, seed {Seed}";
                var random = new Random(number++);
                using var bench = new FormatBench(FormatCases.Of(decoder, framing));
                for (var sent = 0; sent < perCase; sent += FramesPerConnection) await SendAsync(bench, framing, decoder, random, what);
                await bench.CheckAsync(what);
                frames += bench.Frames;
                records += bench.Ledger.Records;
            }
        }
        records.ShouldBeGreaterThan(frames / 10);
        (records * 10).ShouldBeLessThan(frames * 9);
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(MemoryBytes);
    }

    static async Task SendAsync(FormatBench bench, FramingCase framing, DecoderCase decoder, Random random, string what)
    {
        // One connection in three has damage between its frames, too, so that the framing itself is hurt.
        var isHurt = random.Next(3) == 0;
        var wire = new MemoryStream();
        var sent = 0;
        for (var i = 0; i < FramesPerConnection; i++)
        {
            var frame = random.Next(4) == 0 ? Mutated(decoder.Frame(random), random) : decoder.Frame(random);
            if (frame.Length > byte.MaxValue - 1) frame = frame[..(byte.MaxValue - 1)];
            sent += frame.Length == 0 ? 0 : 1;
            var wrapped = framing.Wrap(frame);
            wire.Write(isHurt && random.Next(20) == 0 ? Mutated(wrapped, random) : wrapped);
        }
        var pieces = random.Next(3) switch { 0 => 16, 1 => 300, _ => 8192 };
        var counted = await bench.SendAsync(wire.ToArray(), _ => random.Next(1, pieces));
        if (framing.CountsFrames && !isHurt) counted.ShouldBe(sent, what);
    }

    static byte[] Mutated(byte[] frame, Random random)
    {
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(frame.Length + 1);
            frame = random.Next(7) switch
            {
                0 => frame[..at],
                1 => [.. frame[..at], (byte)random.Next(256), .. frame[at..]],
                2 => at < frame.Length ? [.. frame[..at], (byte)(frame[at] ^ (1 << random.Next(8))), .. frame[(at + 1)..]] : frame,
                3 => [.. frame[..at], .. frame],
                4 => [.. frame[..at], Telling[random.Next(Telling.Length)], .. frame[at..]],
                5 => Garbage(random),
                _ => at < frame.Length ? [.. frame[..at], .. frame[(at + 1)..]] : frame,
            };
        }
        return frame;
    }

    static byte[] Garbage(Random random)
    {
        var bytes = new byte[random.Next(FormatCases.MaxFrame * 2)];
        random.NextBytes(bytes);
        return bytes;
    }
}
