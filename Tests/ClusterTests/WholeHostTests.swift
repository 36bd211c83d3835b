import Testing

/// The real program against a real API server, and on a real node.
///
/// One test after the other: each of them starts a host and measures how soon something happens.
@Suite(.serialized, .timeLimit(.minutes(5)), .showsLogsOnFailure, FailureLogs.noting)
enum WholeHostTests {}
