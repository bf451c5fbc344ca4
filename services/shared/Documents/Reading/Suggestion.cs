namespace LeanPipe.Documents.Reading;

/// <summary>The word that somebody probably meant.</summary>
static class Suggestion
{
    /// <summary>A sentence with the nearest candidate, or with all of them when none is near.</summary>
    public static string For(string found, IEnumerable<string> candidates)
    {
        var known = candidates.Distinct().ToList();
        var nearest = known.Select(c => (Word: c, Distance: Distance(found.ToLowerInvariant(), c.ToLowerInvariant()))).OrderBy(c => c.Distance).FirstOrDefault();
        if (nearest.Word is not null && nearest.Distance <= Math.Max(1, (Math.Min(found.Length, nearest.Word.Length) + 1) / 3)) return $"did you mean '{nearest.Word}'?";
        return known.Count == 0 ? "no other word is known here." : $"expected {(known.Count == 1 ? "" : "one of ")}{string.Join(", ", known)}.";
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that make one word of the other.</summary>
    static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replaced, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
