using System.Diagnostics;

namespace LeanPipe.Integration;

/// <summary>A file system of two megabytes in memory, mounted over a folder until it is disposed.</summary>
sealed class SmallDisk : IDisposable
{
    readonly string _folder;

    SmallDisk(string folder) => _folder = folder;

    /// <summary>Skips the test, in CI fails it, where nothing can be mounted.</summary>
    public static SmallDisk Mount(string folder)
    {
        Directory.CreateDirectory(folder);
        if (Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder) == 0) return new(folder);
        if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException("No tmpfs can be mounted, and CI must not skip.");
        Assert.Skip("No tmpfs can be mounted: this test needs root.");
        return null;
    }

    public void Grow(int megabytes) => Run("mount", "-o", $"remount,size={megabytes}m", _folder).ShouldBe(0);

    public void Dispose() => Run("umount", "-l", _folder);

    static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
