namespace LeanPipe.Gateway.Decoding;

/// <summary>RFC 4180 within one line: cells apart by a delimiter; a quoted cell may hold the delimiter, and a quote written twice.</summary>
static class CsvCells
{
    const byte Quote = (byte)'"';

    /// <summary>Reads the cell that begins at <paramref name="position"/> and moves behind its delimiter.</summary>
    /// <returns>False when a quote stands where RFC 4180 allows none, or is not closed.</returns>
    public static bool TryRead(ReadOnlySpan<byte> line, byte delimiter, ref int position, out CsvCell cell)
    {
        var start = position;
        if (start == line.Length || line[start] != Quote)
        {
            var length = line[start..].IndexOf(delimiter);
            if (length < 0) length = line.Length - start;
            cell = new(start, length, IsQuoted: false, HasDoubledQuotes: false);
            position = start + length + 1;
            return line.Slice(start, length).IndexOf(Quote) < 0;
        }

        var hasDoubled = false;
        for (var i = start + 1; ; i += 2)
        {
            var next = line[i..].IndexOf(Quote);
            if (next < 0) break;
            i += next;
            if (i + 1 < line.Length && line[i + 1] == Quote)
            {
                hasDoubled = true;
                continue;
            }
            cell = new(start + 1, i - start - 1, IsQuoted: true, hasDoubled);
            position = i + 2;
            return i + 1 == line.Length || line[i + 1] == delimiter;
        }
        cell = new(start, 0, IsQuoted: true, hasDoubled);
        return false;
    }

    /// <summary>The cell's text; only a cell with doubled quotes is copied, into <paramref name="scratch"/>.</summary>
    public static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> line, CsvCell cell, Span<byte> scratch)
    {
        var raw = line.Slice(cell.Start, cell.Length);
        if (!cell.HasDoubledQuotes) return raw;
        var written = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            scratch[written++] = raw[i];
            if (raw[i] == Quote) i++;
        }
        return scratch[..written];
    }
}

/// <param name="Start">Of the text, inside the quotes when there are any.</param>
readonly record struct CsvCell(int Start, int Length, bool IsQuoted, bool HasDoubledQuotes);
