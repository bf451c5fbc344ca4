using System.Runtime.CompilerServices;
using Xunit.v3;

namespace LeanPipe.Tests;

/// <summary>xunit's, with a deadline: a test that hangs fails by its name, and the others go on.</summary>
/// <remarks>The projects of tests give it the name that xunit's own has. Until the deadline a run that hangs only looks slow, so it lies below the silence after which CI ends a whole run.</remarks>
[XunitTestCaseDiscoverer(typeof(FactDiscoverer))]
[AttributeUsage(AttributeTargets.Method)]
sealed class TimedFactAttribute : Xunit.FactAttribute
{
    /// <summary>Milliseconds; no honest test comes near.</summary>
    public const int Deadline = 8 * 60_000;

    public TimedFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Timeout = Deadline;
}

/// <summary>See <see cref="TimedFactAttribute"/>.</summary>
[XunitTestCaseDiscoverer(typeof(TheoryDiscoverer))]
[AttributeUsage(AttributeTargets.Method)]
sealed class TimedTheoryAttribute : Xunit.TheoryAttribute
{
    public TimedTheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Timeout = TimedFactAttribute.Deadline;
}
