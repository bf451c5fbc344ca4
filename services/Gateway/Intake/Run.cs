using System.Runtime.InteropServices;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>Neighbouring lines that become one entry of the log: records of one window, or one reject.</summary>
[StructLayout(LayoutKind.Auto)]
struct Run
{
    /// <summary><see cref="RejectCode.None"/> for records.</summary>
    public RejectCode Code;

    /// <summary>Whether the lines stand in the intake's own buffer rather than in the wire's.</summary>
    public bool IsRewritten;
    public int Offset;
    public int Length;
    public int Rows;
    public long WireBytes;
    public long WindowTicks;
    public int WindowMinutes;
    public long MaxEventTicks;
}
