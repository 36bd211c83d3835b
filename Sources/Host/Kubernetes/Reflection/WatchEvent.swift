/// One line of a watch.
enum WatchEvent<Object: KubernetesObject>: Decodable {
    case upserted(Object)
    case deleted(Object)
    case bookmark(resourceVersion: String?)
    case error(APIStatus)
    /// An object that this version of the host cannot read, or an event of an unknown type.
    case unreadable(key: ObjectKey?, resourceVersion: String?, reason: String)

    private enum Keys: String, CodingKey {
        case type
        case object
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let type = try container.decode(String.self, forKey: .type)
        switch type {
        case "BOOKMARK":
            let object = try container.decode(BareObject.self, forKey: .object)
            self = .bookmark(resourceVersion: object.metadata?.resourceVersion)
        case "ERROR":
            self = .error((try? container.decode(APIStatus.self, forKey: .object)) ?? APIStatus())
        case "ADDED", "MODIFIED", "DELETED":
            do {
                let object = try container.decode(Object.self, forKey: .object)
                self = type == "DELETED" ? .deleted(object) : .upserted(object)
            } catch {
                let bare = try? container.decode(BareObject.self, forKey: .object)
                self = .unreadable(
                    key: bare?.key,
                    resourceVersion: bare?.metadata?.resourceVersion,
                    reason: DecodingError.summary(error)
                )
            }
        default:
            self = .unreadable(key: nil, resourceVersion: nil, reason: "an event of type \(type)")
        }
    }
}

/// One page of a list.
struct ObjectPage<Object: KubernetesObject>: Decodable {
    struct Metadata: Decodable {
        var resourceVersion: String?
        var `continue`: String?
    }

    /// An item, or why it isn't one.
    ///
    /// One unreadable item must not hide all the others.
    enum Item: Decodable {
        case object(Object)
        case unreadable(key: ObjectKey?, reason: String)

        init(from decoder: any Decoder) throws {
            do {
                self = .object(try Object(from: decoder))
            } catch {
                self = .unreadable(key: (try? BareObject(from: decoder))?.key, reason: DecodingError.summary(error))
            }
        }
    }

    var metadata: Metadata
    var items: [Item]?
}

/// As much of an object as is needed to name it.
private struct BareObject: Decodable {
    struct Metadata: Decodable {
        var name: String?
        var namespace: String?
        var resourceVersion: String?
    }

    var metadata: Metadata?

    var key: ObjectKey? {
        self.metadata?.name.map { ObjectKey(namespace: self.metadata?.namespace ?? "", name: $0) }
    }
}

extension DecodingError {
    /// Where and what, without the value, which may be secret.
    static func summary(_ error: any Error) -> String {
        let context: Context
        switch error as? DecodingError {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        case .keyNotFound(let key, let found):
            return "\((found.codingPath + [key]).map(\.stringValue).joined(separator: ".")) is missing"
        default: return "it cannot be read"
        }
        return "\(context.codingPath.map(\.stringValue).joined(separator: ".")) has an unexpected form"
    }
}
