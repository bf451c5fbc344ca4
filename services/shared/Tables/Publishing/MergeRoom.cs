using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>How much of the scratch folder the files of a merge take; what is left of it is for spilling.</summary>
sealed class MergeRoom(IObjectStore store, TablePublish publish, TableWork work)
{
    /// <summary>The run's chunks, which are needed from the beginning to the end.</summary>
    /// <exception cref="LakeException"><c>lake.no_room</c></exception>
    public long Chunks => Require(TableScratch.FetchedBytes(store, publish.Chunks.Select(c => (c.Object.Key, c.Object.Bytes))), 0);

    /// <summary>With the largest file of the table, once as it is and once as it is written anew, or the chunks as they are written anew.</summary>
    /// <exception cref="LakeException"><c>lake.no_room</c></exception>
    public long With(IReadOnlyList<DeltaFile> candidates) => candidates.Count == 0 ? Chunks : Require(
        Chunks,
        Math.Max(publish.Chunks.Sum(c => c.Object.Bytes), candidates.Max(f => f.Bytes + TableScratch.FetchedBytes(store, [(f.Key, f.Bytes)]))));

    long Require(long chunks, long rewritten) => chunks + rewritten < work.Room
        ? chunks + rewritten
        : throw TableRewriter.NoRoom(publish.Table, $"a merge needs {chunks} bytes of scratch for the run's rows and {rewritten} for a file and what is written in its place, and has {work.Room} (nine tenths of {work.ScratchBytes})");
}
