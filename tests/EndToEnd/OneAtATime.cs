// The demo's stream listens on a fixed port when it is free, and every test here fills both cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
