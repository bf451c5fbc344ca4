using Dapr.Workflow.Abstractions;
using Microsoft.Extensions.DependencyInjection;

namespace Dapr.Workflow.Worker;

/// <summary>Names to constructors. Each work item gets a new instance, made in its own scope.</summary>
sealed class WorkerRegistry
{
    readonly Dictionary<string, Func<IServiceProvider, IWorkflow>> _workflows = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<string, Func<IServiceProvider, IWorkflowActivity>> _activities = new(StringComparer.OrdinalIgnoreCase);

    public void AddWorkflow(string name, Func<IServiceProvider, IWorkflow> make) => _workflows.TryAdd(name, make);

    public void AddWorkflow<TWorkflow>(string name)
        where TWorkflow : class, IWorkflow => AddWorkflow(name, scope => ActivatorUtilities.CreateInstance<TWorkflow>(scope));

    public void AddActivity(string name, Func<IServiceProvider, IWorkflowActivity> make) => _activities.TryAdd(name, make);

    public void AddActivity<TActivity>(string name)
        where TActivity : class, IWorkflowActivity => AddActivity(name, scope => ActivatorUtilities.CreateInstance<TActivity>(scope));

    public Func<IServiceProvider, IWorkflow>? Workflow(string name) => _workflows.GetValueOrDefault(name);

    public Func<IServiceProvider, IWorkflowActivity>? Activity(string name) => _activities.GetValueOrDefault(name);
}
