namespace LeanPipe.Sidecar.State;

/// <summary>What an instance is known by inside the sidecar and in its journal: ids are an app's own, so two apps may use the same one.</summary>
/// <remarks>The main app's key is the id itself. Another app's is its app id, U+001F and the id; no app id has that character.</remarks>
static class InstanceKey
{
    const char Separator = '\u001f';

    /// <param name="app">Null = the main app.</param>
    /// <param name="id">As workers and callers say it.</param>
    public static string Of(string? app, string id) => app is null && !id.Contains(Separator) ? id : app + Separator + id;

    /// <summary>The key of an instance of the named app.</summary>
    /// <param name="appId">As events name it; none = the app of <paramref name="by"/>.</param>
    public static string OfApp(string? by, string? appId, string mainAppId, string id) =>
        Of(string.IsNullOrEmpty(appId) ? by : appId == mainAppId ? null : appId, id);

    /// <summary>Null = the main app.</summary>
    public static string? AppOf(string key) => key.IndexOf(Separator) is > 0 and var at ? key[..at] : null;

    public static string IdOf(string key) => key[(key.IndexOf(Separator) + 1)..];
}
