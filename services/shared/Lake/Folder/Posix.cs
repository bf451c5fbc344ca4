using System.ComponentModel;
using System.Runtime.InteropServices;

namespace LeanPipe.Lake;

/// <summary>The calls that a durable folder needs and the framework does not have: fsync of a folder, and a name given only if nobody has it.</summary>
static partial class Posix
{
    const int Enoent = 2, Eexist = 17, Einval = 22;
    const int AtFdCwd = -100;
    const uint RenameNoReplace = 1;

    static int CloseOnExec => OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    /// <summary>Makes names given or removed in a folder survive a power cut. Windows has no such call; its journal keeps names in order.</summary>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(path, CloseOnExec);
        if (descriptor < 0) throw Failed("open", path);
        try
        {
            // EINVAL: a file system (some FUSE ones) whose folders cannot be synced; there is nothing more to ask of it.
            if (Fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() != Einval) throw Failed("fsync", path);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Gives a file a second name in one step, unless the name is taken (false). The first name stays.</summary>
    /// <remarks>link(2) is atomic between processes. Where a file system has no hard links, renameat2 without replacing is, and the first name goes.</remarks>
    public static bool TryGiveName(string file, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            if (File.Exists(name)) return false;
            try
            {
                File.Move(file, name, overwrite: false);
                return true;
            }
            catch (IOException) when (File.Exists(name))
            {
                return false;
            }
        }
        if (Link(file, name) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        if (error == Eexist) return false;
        if (error == Enoent || !OperatingSystem.IsLinux()) throw Failed("link", name);
        if (RenameAt2(AtFdCwd, file, AtFdCwd, name, RenameNoReplace) == 0) return true;
        if (Marshal.GetLastPInvokeError() == Eexist) return false;
        throw Failed("renameat2", name);
    }

    /// <summary>A second name for the same bytes; false when the file system cannot, so that the caller copies.</summary>
    public static bool TryLink(string file, string name) => !OperatingSystem.IsWindows() && Link(file, name) == 0;

    static IOException Failed(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        var message = $"{call} of '{path}' failed: {new Win32Exception(error).Message}";
        return error == Enoent ? new DirectoryNotFoundException(message) : new IOException(message, error);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string file, string name);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int RenameAt2(int fromFolder, string from, int toFolder, string to, uint flags);
}
