using System.Runtime.InteropServices;
using LeanPipe.Contracts;
using Microsoft.Win32.SafeHandles;

namespace LeanPipe.Sidecar.State;

/// <summary>What the file system has to be asked for, so that a file is still there under its name after a power cut.</summary>
static class Durability
{
    const string Unfinished = ".new";

    /// <summary>Writes a whole file beside its place, makes it durable, and only then gives it its name.</summary>
    public static void Replace(string path, IEnumerable<byte[]> parts)
    {
        var beside = path + Unfinished;
        using (var file = File.OpenHandle(beside, FileMode.Create, FileAccess.Write))
        {
            long at = 0;
            foreach (var part in parts)
            {
                RandomAccess.Write(file, part, at);
                at += part.Length;
            }

            RandomAccess.FlushToDisk(file);
        }

        File.Move(beside, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>What a <see cref="Replace"/> that was interrupted left beside the file.</summary>
    public static void DeleteUnfinished(string path) => File.Delete(path + Unfinished);

    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return; // NTFS journals the rename itself.

        var descriptor = open(path, 0 /* O_RDONLY */);
        if (descriptor < 0)
            throw Failed(path, Marshal.GetLastPInvokeError());
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (fsync(handle) != 0)
            throw Failed(path, Marshal.GetLastPInvokeError());
    }

    static LeanPipeException Failed(string path, int error) => new(
        "sidecar.journal_failed",
        $"The directory '{path}' could not be made durable: {Marshal.GetPInvokeErrorMessage(error)}. Check the disk, then start again.");

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int fsync(SafeFileHandle descriptor);
}
