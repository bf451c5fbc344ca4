using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>Everything that a plan is made from, read beforehand. What the lake or the folder does not have is missing here; the planner says so.</summary>
sealed record PlanSources
{
    public required RunId Run { get; init; }
    public required RunRequest Request { get; init; }
    public required PipelineDefinition Pipeline { get; init; }
    public required DateTimeOffset Now { get; init; }

    /// <summary>By stream: the asked-for revision for the stream that <see cref="PipelineDefinition.LeadingStream"/> names, the newest for the others.</summary>
    public IReadOnlyDictionary<StreamName, PinnedWindow> Windows { get; init; } = new Dictionary<StreamName, PinnedWindow>();

    /// <summary>For inputs over a range: the newest revision of every sealed window of it but the run's own, in order.</summary>
    public IReadOnlyDictionary<StreamInput, IReadOnlyList<PinnedWindow>> Before { get; init; } = new Dictionary<StreamInput, IReadOnlyList<PinnedWindow>>();

    public IReadOnlyDictionary<TableInput, PinnedTable> Tables { get; init; } = new Dictionary<TableInput, PinnedTable>();

    /// <summary>By pattern, in the order of keys.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<ObjectRef>> LakeFiles { get; init; } = new Dictionary<string, IReadOnlyList<ObjectRef>>();

    /// <summary>Of steps that once ran out of memory: what they got in the end.</summary>
    public IReadOnlyDictionary<StepName, StepLimits> Limits { get; init; } = new Dictionary<StepName, StepLimits>();

    /// <summary>By the path in the document.</summary>
    public IReadOnlyDictionary<string, ObjectRef> Files { get; init; } = new Dictionary<string, ObjectRef>();
}

sealed record PinnedWindow(string Key, WindowManifest Manifest);

sealed record PinnedTable(long Version, IReadOnlyList<SegmentColumn> Columns, IReadOnlyList<ObjectRef> Files);

/// <summary>Either a plan, or everything that is wrong with the request.</summary>
sealed record Planning(RunPlan? Plan, IReadOnlyList<string> Errors);
