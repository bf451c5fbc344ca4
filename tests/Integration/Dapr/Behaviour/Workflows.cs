using Dapr.Workflow;

namespace LeanPipe.Integration.DaprBehaviour;

/// <summary>The workflows of the suite. <c>js/workflows.js</c> has the same ones under the same names, with the same results.</summary>
static class Workflows
{
    public static void Register(WorkflowRuntimeOptions options)
    {
        options.RegisterActivity<string, string>("greet", (_, name) => Task.FromResult($"Hello {name}!"));
        options.RegisterActivity<int, int>("square", (_, n) => Task.FromResult(n * n));
        options.RegisterActivity<string, string>("fails", (_, message) => throw new IOException(message));

        // Its first run leaves the file and never ends; whoever runs it after that ends at once.
        options.RegisterActivity<string, string>("hangOnce", async (_, file) =>
        {
            if (File.Exists(file))
                return "again";
            await File.WriteAllBytesAsync(file, []);
            await new TaskCompletionSource().Task;
            return "never";
        });

        options.RegisterWorkflow<string, string>("hangs", (context, file) => context.CallActivityAsync<string>("hangOnce", file));
        options.RegisterWorkflow<string, string>("chain", async (context, name) =>
            await context.CallActivityAsync<string>("greet", await context.CallActivityAsync<string>("greet", name)));
        options.RegisterWorkflow<int, int[]>("fan", (context, count) =>
            Task.WhenAll(Enumerable.Range(1, count).Select(i => context.CallActivityAsync<int>("square", i))));
        options.RegisterWorkflow<int, bool>("timer", async (context, seconds) =>
        {
            var before = context.CurrentUtcDateTime;
            await context.CreateTimer(TimeSpan.FromSeconds(seconds));
            return context.CurrentUtcDateTime >= before.AddSeconds(seconds);
        });
        options.RegisterWorkflow<object, long>("clock", async (context, _) =>
        {
            await context.CallActivityAsync<int>("square", 1);
            return new DateTimeOffset(context.CurrentUtcDateTime).ToUnixTimeMilliseconds();
        });
        RegisterEvents(options);
        RegisterFailures(options);
        options.RegisterWorkflow<int, int>("child", (context, n) => context.CallActivityAsync<int>("square", n));
        options.RegisterWorkflow<string, string>("nested", (context, id) =>
            context.CallChildWorkflowAsync<string>("waits", "go", new ChildWorkflowTaskOptions(id)));
    }

    static void RegisterEvents(WorkflowRuntimeOptions options)
    {
        options.RegisterWorkflow<string, string>("waits", async (context, name) =>
        {
            context.SetCustomStatus("waiting");
            var got = await context.WaitForExternalEventAsync<string>(name);
            context.SetCustomStatus("went on");
            return got;
        });

        // Its event comes before it waits for it.
        options.RegisterWorkflow<string, string>("late", async (context, name) =>
        {
            await context.CreateTimer(TimeSpan.FromSeconds(1));
            return await context.WaitForExternalEventAsync<string>(name);
        });

        // All three events are there before the first round takes one: two are carried over.
        options.RegisterWorkflow<int[], int[]>("rounds", async (context, got) =>
        {
            if (got.Length == 0)
                await context.CreateTimer(TimeSpan.FromSeconds(1));
            int[] all = [.. got, await context.WaitForExternalEventAsync<int>("item")];
            if (all.Length < 3)
                context.ContinueAsNew(all);
            return all;
        });
    }

    static void RegisterFailures(WorkflowRuntimeOptions options)
    {
        options.RegisterWorkflow<string, string>("caught", async (context, message) =>
        {
            try
            {
                return await context.CallActivityAsync<string>("fails", message);
            }
            catch (WorkflowTaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage == message ? "caught" : e.Message;
            }
        });
        options.RegisterWorkflow<string, string>("uncaught", (context, message) => context.CallActivityAsync<string>("fails", message));
        options.RegisterWorkflow<int, int>("parent", async (context, n) =>
        {
            var result = await context.CallChildWorkflowAsync<int>("child", n);
            try
            {
                await context.CallChildWorkflowAsync<string>("uncaught", "no");
                return -1;
            }
            catch (WorkflowTaskFailedException)
            {
                return result + 1;
            }
        });
    }
}
