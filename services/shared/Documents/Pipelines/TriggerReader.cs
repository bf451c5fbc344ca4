using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

sealed record ReadTrigger(StreamName? Sealed = null, TableName? Published = null, ScheduleTrigger? Schedule = null);

/// <summary>What starts a pipeline by itself: one of a sealed window, a published table, the clock.</summary>
static partial class TriggerReader
{
    public static ReadTrigger Read(YamlNode? node, MapReader pipeline, ErrorList errors)
    {
        if (node is null || pipeline.AsMap(node, "trigger", "trigger") is not { } map) return new();
        var stream = map.Name<StreamName>("sealed");
        var table = map.Name<TableName>("published");
        var schedule = map.Take("schedule") is { } clock ? Schedule(clock, errors) : null;
        map.Finish();
        if (((string[])["sealed", "published", "schedule"]).Count(map.Has) != 1) errors.Add(node.At, "'trigger' needs one of 'sealed', 'published' and 'schedule'.");
        return new(stream, table, schedule);
    }

    static ScheduleTrigger? Schedule(YamlNode node, ErrorList errors)
    {
        var map = node is MapNode found ? new MapReader(found, "schedule", errors) : null;
        if (map is null && node is not TextNode { IsNull: false })
        {
            errors.Add(node.At, $"'schedule' is {node.Shape}; expected \"10 * * * *\", or {{ cron, time_zone, window }}.");
            return null;
        }
        var cron = map is null ? (TextNode)node : map.Text("cron", required: true);
        var zone = map?.Text("time_zone");
        var window = map?.Duration("window", TimeSpan.FromDays(1));
        var windowAt = map?.Take("window")?.At ?? node.At;
        map?.Finish();
        if (cron is not null && !Cron().IsMatch(cron.Text)) errors.Add(cron.At, $"'{cron.Text}' is no cron expression; expected five fields: minute, hour, day of month, month, day of week.");
        if (zone is not null && !TimeZoneInfo.TryFindSystemTimeZoneById(zone.Text, out _)) errors.Add(zone.At, $"'time_zone' is '{zone.Text}'; expected an IANA name such as Europe/Zurich.");
        if (window is { } size && !WindowSize.IsValid(size))
        {
            errors.Add(windowAt, "'window' is no window's size; expected 1d, 1h, or whole minutes that divide an hour.");
            window = null;
        }
        return cron is null ? null : new(cron.Text, zone?.Text ?? "UTC", new(window ?? TimeSpan.FromHours(1)));
    }

    [GeneratedRegex(@"^[0-9*,/?A-Za-z-]+( +[0-9*,/?A-Za-z-]+){4}$")]
    private static partial Regex Cron();
}
