using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.Workflows;

/// <param name="Created">The TimerCreated event; null = look at the instance: its scheduled start, or the end of its retention.</param>
readonly record struct DueTimer(string InstanceId, HistoryEvent? Created);
