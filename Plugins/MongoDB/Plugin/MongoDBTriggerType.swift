internal import PluginProtocol

extension TriggerTypeDeclaration {
    /// What a manifest may say about a `mongodb` trigger.
    static let mongodb = TriggerTypeDeclaration(
        type: "mongodb",
        help: "Counts the documents of a MongoDB collection that match a query.",
        parameters: [
            ParameterDeclaration(
                "connectionString",
                secret: true,
                from: [.authentication, .metadata, .environment],
                help: "Any MongoDB URI; wins over scheme, host, port, username and password."
            ),
            ParameterDeclaration(
                "scheme",
                default: "mongodb",
                from: [.authentication, .metadata],
                help: "Scheme of the URI that is made of the parts: mongodb or mongodb+srv."
            ),
            ParameterDeclaration(
                "host",
                from: [.authentication, .metadata],
                help: "Host name or address; needed without connectionString."
            ),
            ParameterDeclaration(
                "port",
                from: [.authentication, .metadata],
                help: "Port; needed without connectionString, except with the scheme mongodb+srv."
            ),
            ParameterDeclaration(
                "username",
                from: [.authentication, .metadata],
                help: "User, who is looked up in dbName; needed without connectionString."
            ),
            ParameterDeclaration(
                "password",
                secret: true,
                from: [.authentication, .metadata, .environment],
                help: "Password of the user; needed without connectionString."
            ),
            ParameterDeclaration(
                "dbName",
                required: true,
                from: [.authentication, .metadata],
                help: "Database of the collection; needed with a connectionString as well."
            ),
            ParameterDeclaration("collection", required: true, help: "Collection whose documents are counted."),
            ParameterDeclaration(
                "query",
                .jsonObject,
                required: true,
                help: "Filter as extended JSON, canonical or relaxed; an empty document is refused."
            ),
            ParameterDeclaration(
                "queryValue",
                .number,
                required: true,
                help: "Documents that one Job takes; greater than 0."
            ),
            ParameterDeclaration(
                "activationQueryValue",
                .number,
                default: "0",
                help: "The trigger is active when more documents than this match."
            ),
            ParameterDeclaration(
                "itemFields",
                help:
                    "With one Job per item: fields of the document that its Job gets besides _id, separated by commas."
            ),
            ParameterDeclaration(
                "itemSort",
                .jsonObject,
                help: "With one Job per item: which documents come first, {\"_id\":1} where it is left out."
            ),
            ParameterDeclaration(
                "tls",
                .oneOf(["enable", "disable"]),
                default: "disable",
                from: [.authentication],
                help: "Whether TLS with the material below is used, beyond what the URI says."
            ),
            ParameterDeclaration("cert", secret: true, from: [.authentication], help: "Client certificate in PEM."),
            ParameterDeclaration("key", secret: true, from: [.authentication], help: "Key of the certificate in PEM."),
            ParameterDeclaration(
                "keyPassword",
                secret: true,
                from: [.authentication],
                help: "Password of the key, where it is encrypted."
            ),
            ParameterDeclaration("ca", from: [.authentication], help: "Authorities that are trusted, in PEM."),
        ],
        capabilities: Capabilities(push: true, items: true)
    )
}
