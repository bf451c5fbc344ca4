namespace LeanPipe.Gateway.Log;

/// <summary>What an entry says. Numbers are the format: never reuse one.</summary>
enum EntryKind : byte
{
    /// <summary>JSON: all that older files said that still matters. The first entry of every file, and nowhere else.</summary>
    Checkpoint = 1,

    /// <summary>JSON: a stream's name gets the number that binary entries use.</summary>
    StreamDeclared = 2,
    ConnectionOpened = 3,

    /// <summary>Bytes that a connection's framing has finished with.</summary>
    Read = 4,

    /// <summary>Lines of records of one stream and one window.</summary>
    Records = 5,

    /// <summary>One rejected frame as a line of JSON.</summary>
    Reject = 6,
    ConnectionClosed = 7,

    /// <summary>JSON: a range of a lane becomes an object of this name. Before the upload.</summary>
    Cut = 8,

    /// <summary>JSON: the object is in the store.</summary>
    Stored = 9,

    /// <summary>JSON: a window's revision is to be made of what is stored by now. Before the manifest.</summary>
    Sealing = 10,

    /// <summary>JSON: the manifest is in the store.</summary>
    Sealed = 11,

    /// <summary>JSON: the sidecar has acknowledged the event.</summary>
    Published = 12,

    /// <summary>JSON: files wholly before this position are about to be removed; a log that begins later has lost one.</summary>
    Truncated = 13,

    /// <summary>JSON: what a stream's document says that cutting and sealing need, so that they outlive the document.</summary>
    Settings = 14,

    /// <summary>Position of the next file i64: the last entry of a full file. A log whose newest file ends with it has lost one.</summary>
    Continued = 15,

    /// <summary>JSON: the gateway's id, which segments' names and the ledger's key carry. It stays with the log, whoever runs it.</summary>
    Gateway = 16,

    /// <summary>Frames of one connection as they came, of a stream that validates after writing.</summary>
    Frames = 17,

    /// <summary>A stream's frames before a position are validated; the last entry of what they became, in the same batch.</summary>
    Judged = 18,
}
