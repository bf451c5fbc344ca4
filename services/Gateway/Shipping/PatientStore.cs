using LeanPipe.Lake;

namespace LeanPipe.Gateway.Shipping;

/// <summary>The lake's store, asked again and again while it is down; health says so meanwhile.</summary>
sealed class PatientStore(IObjectStore store, GatewayHealth health, ILogger logger, Retries retries, TimeSpan timeout)
{
    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await CallAsync(
            key,
            async c =>
            {
                await store.PutAsync(key, content, c);
                return true;
            },
            cancellationToken);

    /// <param name="content">Read from its beginning at every try.</param>
    public async ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken) =>
        await CallAsync(
            key,
            async c =>
            {
                await store.PutAsync(key, content, sha256, c);
                return true;
            },
            cancellationToken);

    public ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        CallAsync(key, c => store.PutIfAbsentAsync(key, content, c), cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken) => CallAsync(key, c => store.GetAsync(key, c), cancellationToken);

    async ValueTask<T> CallAsync<T>(string key, Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        var result = await retries.UntilDoneAsync(
            c => WithinTimeoutAsync(call, c),
            (attempts, e) =>
            {
                health.Raise("store_down", $"The store {store.Root} failed at '{key}' {attempts} times: {e.Message}");
                if (attempts <= 3 || attempts % 20 == 0) logger.StoreFailed(key, attempts, e);
            },
            cancellationToken);
        health.Clear("store_down");
        return result;
    }

    /// <summary>A call that is given up may still have its effect: every one is safe to repeat, for keys say what they hold.</summary>
    async ValueTask<T> WithinTimeoutAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(timeout);
        try
        {
            return await call(limited.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer within {timeout}.", e);
        }
    }
}
