// swift-tools-version: 6.2
import PackageDescription

// The order of targets is the way of an event: contract, plugins, host (rules, sockets, Kubernetes, controller), programs.
let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "sluice", targets: ["Sluice"]),
        .executable(name: "sluice-plugin-mongodb", targets: ["MongoDBPlugin"]),
        .executable(name: "transcode-worker", targets: ["TranscodeWorker"]),
        .library(name: "PluginKit", targets: ["PluginKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
    ],
    targets: [
        // How long to wait before trying again: the same for host and plugins.
        .target(
            name: "Pace",
            dependencies: [.product(name: "NIOConcurrencyHelpers", package: "swift-nio")],
            path: "Sources/Pace"
        ),

        // The contract with plugins.
        .target(
            name: "CPluginMessages",
            path: "Sources/PluginProtocol/CMessages",
            linkerSettings: [.linkedLibrary("protobuf-c")]
        ),
        .systemLibrary(name: "CAllocator", path: "Sources/PluginProtocol/CAllocator"),
        .target(
            name: "PluginProtocol",
            dependencies: ["CAllocator", "CPluginMessages", .product(name: "NIOCore", package: "swift-nio")],
            path: "Sources/PluginProtocol",
            exclude: ["CAllocator", "CMessages", "PluginKit"]
        ),
        .target(
            name: "PluginKit",
            dependencies: [
                "Pace",
                "PluginProtocol",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/PluginProtocol/PluginKit"
        ),

        // The plugins, each with its own C library.
        .systemLibrary(
            name: "CMongo",
            path: "Plugins/MongoDB/CMongo",
            pkgConfig: "libmongoc-1.0",
            providers: [.apt(["libmongoc-dev"])]
        ),
        .target(
            name: "MongoDB",
            dependencies: [
                "CMongo",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            path: "Plugins/MongoDB/Driver"
        ),
        .executableTarget(
            name: "MongoDBPlugin",
            dependencies: [
                "MongoDB", "PluginKit", "PluginProtocol",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            path: "Plugins/MongoDB/Plugin"
        ),

        // The host.
        .target(name: "Scaling", path: "Sources/Host/Scaling"),
        .target(
            name: "PluginHost",
            dependencies: [
                "Pace",
                "PluginProtocol",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Host/PluginHost"
        ),
        .systemLibrary(
            name: "CCurl",
            path: "Sources/Host/HTTP/CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]
        ),
        .target(
            name: "HTTP",
            dependencies: [
                "CCurl",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            path: "Sources/Host/HTTP",
            exclude: ["CCurl"]
        ),
        .target(
            name: "Kubernetes",
            dependencies: [
                "Pace",
                "HTTP",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Sources/Host/Kubernetes"
        ),
        // What has to be fetched before a trigger can be opened.
        .target(
            name: "Credentials",
            dependencies: [
                "HTTP", "Kubernetes",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            path: "Sources/Host/Credentials"
        ),
        .target(
            name: "Controller",
            dependencies: [
                "Pace",
                "Scaling", "PluginHost", "PluginProtocol", "Kubernetes", "Credentials",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Host/Controller"
        ),
        // What the host serves: health, metrics, admission.
        .target(
            name: "Endpoints",
            dependencies: [
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Host/Endpoints"
        ),
        // The rules of admission and of validate, and the webhook that answers by them.
        .target(
            name: "Admission",
            dependencies: ["Controller", "Endpoints", "Kubernetes", "PluginHost", "PluginProtocol"],
            path: "Sources/Host/Admission"
        ),
        .target(
            name: "Standalone",
            dependencies: [
                "Kubernetes",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            path: "Sources/Host/Standalone"
        ),
        .target(
            name: "Observability",
            dependencies: ["Controller", "Kubernetes", "Scaling", .product(name: "Logging", package: "swift-log")],
            path: "Sources/Host/Observability"
        ),
        .executableTarget(
            name: "Sluice",
            dependencies: [
                "Admission", "Controller", "Credentials", "Endpoints", "Standalone", "PluginHost", "PluginProtocol",
                "Kubernetes", "Scaling",
                "Observability",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Host/Main"
        ),

        // The transcoding case's worker.
        .executableTarget(
            name: "TranscodeWorker",
            dependencies: [
                "MongoDB",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "examples/transcode/Worker"
        ),

        // Tests.
        .target(
            name: "PluginPeers",
            dependencies: [
                "PluginProtocol", "PluginHost",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/TestSupport/PluginPeers"
        ),
        .executableTarget(
            name: "ScriptedPlugin",
            dependencies: [
                "PluginKit", "PluginProtocol",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Tests/TestSupport/ScriptedPlugin"
        ),
        .testTarget(
            name: "PluginProtocolTests",
            dependencies: [
                "PluginProtocol", "PluginPeers",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOTestUtils", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(
            name: "PluginHostTests",
            dependencies: [
                "Pace", "PluginHost", "PluginKit", "PluginProtocol", "PluginPeers", "ScriptedPlugin",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "MongoTestServer",
            dependencies: [
                "MongoDB",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestSupport/Mongo"
        ),
        .testTarget(
            name: "MongoDBPluginTests",
            dependencies: [
                "MongoDB", "MongoDBPlugin", "MongoTestServer", "PluginKit", "PluginProtocol", "TranscodeWorker",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "PaceTests", dependencies: ["Pace"]),
        .testTarget(name: "ScalingTests", dependencies: ["Scaling"]),
        // What existing manifests rely on, row by row.
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Admission", "Controller", "Credentials", "Kubernetes", "PluginHost", "PluginProtocol", "Scaling",
            ]
        ),
        .testTarget(
            name: "ObservabilityTests",
            dependencies: [
                "Observability", "Controller", "Kubernetes", "Scaling",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "ClusterTestSupport",
            dependencies: [
                "Kubernetes",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestSupport/Cluster"
        ),
        .target(
            name: "Servers",
            dependencies: [
                "HTTP", "Kubernetes",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestSupport/Servers"
        ),
        .testTarget(
            name: "CredentialsTests",
            dependencies: [
                "Credentials", "ClusterTestSupport", "HTTP", "Kubernetes", "Servers", "Standalone",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            exclude: ["check_signature.py"]
        ),
        .testTarget(
            name: "KubernetesTests",
            dependencies: [
                "HTTP", "Kubernetes", "ClusterTestSupport", "Pace", "Servers",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "ControllerTests",
            dependencies: [
                "Controller", "Credentials", "Scaling", "PluginHost", "PluginProtocol", "Kubernetes", "Standalone",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        // The controller in a world where everything goes wrong, by a clock of its own.
        .target(
            name: "Simulation",
            dependencies: [
                "Controller", "Kubernetes", "Pace", "PluginHost", "PluginProtocol", "Scaling", "Standalone",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            path: "Tests/TestSupport/Simulation"
        ),
        .executableTarget(
            name: "Simulate",
            dependencies: ["Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Simulate"
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Controller", "Kubernetes", "PluginPeers", "Simulate", "Simulation",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        // Input that nobody would write, and what must answer it.
        .target(
            name: "Fuzzing",
            dependencies: [
                "Admission", "Controller", "Endpoints", "Kubernetes", "Pace", "PluginHost", "PluginProtocol",
                "Standalone",
            ],
            path: "Tests/TestSupport/Fuzzing"
        ),
        .executableTarget(
            name: "Fuzz",
            dependencies: ["Fuzzing", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Fuzz"
        ),
        .testTarget(
            name: "AdmissionTests",
            dependencies: [
                "Admission", "Controller", "Endpoints", "Fuzzing", "Kubernetes", "PluginHost", "PluginProtocol",
                "Standalone",
            ]
        ),
        .testTarget(
            name: "EndpointTests",
            dependencies: [
                "Endpoints",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "StandaloneTests",
            dependencies: [
                "Standalone", "Kubernetes",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        // The commands that need no cluster, as a person runs them.
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "Sluice", "MongoDBPlugin", "PluginPeers", "Kubernetes",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        // The real program against a real API server, and on a real node.
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "Sluice", "MongoDBPlugin", "ScriptedPlugin", "TranscodeWorker",
                "ClusterTestSupport", "MongoTestServer", "PluginPeers", "Servers",
                "Controller", "HTTP", "Kubernetes", "MongoDB", "PluginHost", "PluginProtocol",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),

        // Measurements against real servers; see docs/performance.md.
        .target(
            name: "PlainCurl",
            path: "Tests/Benchmarks/PlainCurl",
            linkerSettings: [.linkedLibrary("curl")]
        ),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "PlainCurl", "Controller", "Kubernetes", "MongoDB",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            path: "Tests/Benchmarks/Driver"
        ),
        .executableTarget(
            name: "LedgerBench",
            dependencies: ["Scaling"],
            path: "Tests/Benchmarks/Ledger",
            linkerSettings: [.linkedLibrary("m")]
        ),
    ]
)

/// One place for the settings of every Swift target.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let touchesC: Set<String> = ["PluginProtocol", "HTTP", "Kubernetes", "MongoDB"]
let isC: Set<String> = ["CPluginMessages", "PlainCurl"]
for target in package.targets where target.type != .system && !isC.contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + swiftSettings
    if touchesC.contains(target.name) {
        target.swiftSettings?.append(.strictMemorySafety())
    }
}
