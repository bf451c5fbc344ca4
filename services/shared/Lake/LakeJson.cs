using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LeanPipe.Lake;

/// <summary>Documents of the lake: one JSON value per object, UTF-8 without BOM.</summary>
public static class LakeJson
{
    /// <summary>The document, or null when there is none.</summary>
    /// <exception cref="LakeException"><c>lake.corrupt</c>: the object is there but is no such document.</exception>
    public static async ValueTask<T?> GetJsonAsync<T>(this IObjectStore store, string key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        if (await store.GetAsync(key, cancellationToken) is not { } bytes) return null;
        try
        {
            return JsonSerializer.Deserialize(bytes.Span, type) ?? throw new JsonException("The document is null.");
        }
        catch (JsonException e)
        {
            throw new LakeException(
                "lake.corrupt",
                $"Object '{key}' of {store.Root} ({bytes.Length} bytes) is no {typeof(T).Name} document: {e.Message} It was written whole or not at all, so " +
                "something else wrote or damaged it. Restore it, or remove it when what it names can be made again.",
                inner: e);
        }
    }

    /// <summary>For documents that are made again when they are missing: also null when what is there is none.</summary>
    public static async ValueTask<T?> FindJsonAsync<T>(this IObjectStore store, string key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await store.GetJsonAsync(key, type, cancellationToken);
        }
        catch (LakeException e) when (e.Code == "lake.corrupt")
        {
            return null;
        }
    }

    /// <summary>Makes or replaces a document.</summary>
    public static ValueTask PutJsonAsync<T>(this IObjectStore store, string key, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        store.PutAsync(key, JsonSerializer.SerializeToUtf8Bytes(value, type), cancellationToken);

    /// <summary>Makes a document only if there is none under the key; false when there is one.</summary>
    public static ValueTask<bool> PutJsonIfAbsentAsync<T>(this IObjectStore store, string key, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        store.PutIfAbsentAsync(key, JsonSerializer.SerializeToUtf8Bytes(value, type), cancellationToken);
}
