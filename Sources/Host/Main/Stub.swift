// Replaced by the first real file.
@main struct Stub { static func main() {} }
