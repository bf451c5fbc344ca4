using System.Globalization;
using System.Text;

namespace LeanPipe.StepRunner;

/// <param name="Task">The lake key of a sheet, <c>#</c> and the task's number; or the key of a task that stands by itself.</param>
/// <param name="Scratch">Null makes a fresh folder below the system's temporary folder.</param>
/// <param name="MemoryBytes">Instead of the task's own limit, for an attempt after one that ran out of it.</param>
/// <param name="Slices">In so many parts the input that is shared out is read, one at a time, for the same reason.</param>
/// <param name="ExitWithParent">Standard input is a pipe that only the parent holds open: its end is the parent's.</param>
internal sealed record Arguments(string Task, int Attempt, string? Scratch, bool ExitWithParent = false, long? MemoryBytes = null, int Slices = 1)
{
    /// <summary>The whole command line of a process that waits for its attempt: its arguments come as a line of standard input, with tabs between them. Not for people.</summary>
    public const string Wait = "--wait";

    public const string Help = """
        steprunner --task TASK --attempt N [--scratch DIR] [--memory BYTES] [--slices N] [--exit-with-parent]
        steprunner serve --listen ADDRESS:PORT --scratch DIR

          Runs one attempt of one task: reads its inputs from the lake, runs its SQL in DuckDB, writes Parquet chunks and then outcome.json.

          --task TASK     the task: lake key of a sheet of tasks and its number there, runs/RUN/STEP/tasks/00000-100.json#00042,
                          or lake key of a task that stands by itself, runs/RUN/STEP/TASK/task.json
          --attempt N     number of this attempt, from 1; everything it writes lies below runs/RUN/STEP/TASK/N/
          --scratch DIR   where a folder for this attempt is made (default: TMPDIR); the folder is removed at the end
          --memory BYTES  limit on memory, instead of the task's own
          --slices N      read the input that the step shares out in N parts, one at a time, where the task allows it (default: 1)
          --exit-with-parent
                          stop when standard input ends, as after SIGTERM: the process that started this one is gone

          serve           takes attempts from an orchestrator over TCP, one at a time, each in a process of its own that was started beforehand, until
                          SIGTERM. LEANPIPE_WARM_TOKEN is the secret that callers must know; DIR is emptied.

        The lake comes from the environment: LEANPIPE_LAKE (a folder, or s3://bucket/prefix), LEANPIPE_S3_ENDPOINT, LEANPIPE_S3_REGION,
        LEANPIPE_S3_PATH_STYLE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
        A task that loads: LEANPIPE_POSTGRES_<NAME>, a connection string, or LEANPIPE_POSTGRES_<NAME>_FILE, a file with it.

        Standard output: one JSON line a second at most, {"progress":0.42,"phase":"sql"}. Standard error: why it failed.
        Exit codes: 0 succeeded, 1 failed for good, 2 wrong usage or no such task, 3 failed but worth trying again, 130 interrupted, 143 terminated.
        With 0 and 1 the outcome is in the lake; with 3 unless the lake was what failed; with 2, 130 and 143 it is not.
        """;

    /// <summary>The arguments, or what is wrong with all of them.</summary>
    public static (Arguments? Parsed, IReadOnlyList<string> Errors) Parse(ReadOnlySpan<string> args)
    {
        string? task = null, attempt = null, scratch = null, memory = null, slices = null;
        var exitWithParent = false;
        var errors = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i];
            if (name is "--exit-with-parent")
            {
                exitWithParent = true;
                continue;
            }
            if (name is not ("--task" or "--attempt" or "--scratch" or "--memory" or "--slices"))
            {
                errors.Add($"'{name}' is no option: expected --task, --attempt, --scratch, --memory, --slices or --exit-with-parent.");
                continue;
            }
            if (i + 1 == args.Length)
            {
                errors.Add($"{name} has no value.");
                break;
            }
            var value = args[++i];
            _ = name switch { "--task" => task = value, "--attempt" => attempt = value, "--memory" => memory = value, "--slices" => slices = value, _ => scratch = value };
        }
        if (string.IsNullOrEmpty(task)) errors.Add("--task is missing: give the lake key of a sheet of tasks, # and the number of the task.");
        var number = 0;
        if (attempt is null) errors.Add("--attempt is missing: give a number from 1.");
        else if (!int.TryParse(attempt, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number < 1)
            errors.Add($"--attempt is '{attempt}': expected a number from 1.");
        var bytes = 0L;
        if (memory is not null && (!long.TryParse(memory, NumberStyles.None, CultureInfo.InvariantCulture, out bytes) || bytes < 1)) errors.Add($"--memory is '{memory}': expected a number of bytes.");
        var parts = 1;
        if (slices is not null && (!int.TryParse(slices, NumberStyles.None, CultureInfo.InvariantCulture, out parts) || parts < 1)) errors.Add($"--slices is '{slices}': expected a number from 1.");
        return errors.Count == 0 ? (new(task!, number, scratch, exitWithParent, memory is null ? null : bytes, parts), errors) : (null, errors);
    }

    /// <summary>The first line, and no byte more: what follows is for whoever waits for the end. Null when there is none.</summary>
    public static string? ReadLine(Stream input)
    {
        var line = new List<byte>();
        for (int next; (next = input.ReadByte()) >= 0; line.Add((byte)next))
            if (next == '\n') return Encoding.UTF8.GetString([.. line]);
        return null;
    }
}
