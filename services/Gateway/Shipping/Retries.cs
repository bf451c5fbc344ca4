using Polly;
using Polly.Retry;

namespace LeanPipe.Gateway.Shipping;

/// <summary>Calls that are tried until they succeed or the gateway stops: what is in the log is never dropped because something else is down.</summary>
sealed class Retries(TimeProvider time, TimeSpan first, TimeSpan longest)
{
    static readonly ResiliencePropertyKey<Action<int, Exception>> OnFailure = new("on failure");

    long _failures;

    readonly ResiliencePipeline _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = args => ValueTask.FromResult(args.Outcome.Exception is not null && !args.Context.CancellationToken.IsCancellationRequested),
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = first,
            MaxDelay = longest,
            OnRetry = args =>
            {
                if (args.Context.Properties.TryGetValue(OnFailure, out var report)) report(args.AttemptNumber + 1, args.Outcome.Exception!);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    /// <summary>Calls that have failed so far and were tried again.</summary>
    public long Failures => Volatile.Read(ref _failures);

    /// <param name="failed">Told of each failure with how many there were in a row.</param>
    public async ValueTask<T> UntilDoneAsync<T>(Func<CancellationToken, ValueTask<T>> call, Action<int, Exception> failed, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(OnFailure, (attempts, e) =>
        {
            Interlocked.Increment(ref _failures);
            failed(attempts, e);
        });
        try
        {
            return await _pipeline.ExecuteAsync(static (c, call) => call(c.CancellationToken), context, call);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
