using LeanPipe.StepRunner;

namespace LeanPipe.Unit.StepRunner;

public sealed class PeakMemoryTests
{
    [Fact]
    public void The_peak_is_no_less_than_what_is_in_use_and_below_the_machine() =>
        PeakMemory.Bytes().ShouldBeInRange(1 << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
}
