package import Kubernetes
package import PluginHost
import PluginProtocol

/// Checks ScaledJobs without opening anything: what `validate` and admission say.
package struct ManifestCheck: Sendable {
    package var authentications: AuthenticationStore
    package var sources: ParameterSources
    package var offers: [String: TriggerTypeOffer]
    /// Nil where plugins connect by themselves.
    package var survey: PluginAnswers?

    package init(
        authentications: AuthenticationStore,
        secrets: SecretStore,
        configMaps: ReferencedData = ReferencedData(.configMap),
        offers: [String: TriggerTypeOffer],
        survey: PluginAnswers? = nil
    ) {
        self.survey = survey
        self.authentications = authentications
        // What only the host can fetch is taken for granted.
        self.sources = ParameterSources(
            secrets: secrets,
            configMaps: configMaps,
            credentials: FetchedCredentials(areAssumed: true)
        )
        self.offers = offers
    }

    /// Secrets and ConfigMaps that the ScaledJob's parameters may come from.
    package func needs(of scaledJob: ScaledJob) -> ParameterResolver.Needs {
        guard case .success(let specification) = Self.parse(scaledJob) else {
            return ParameterResolver.Needs()
        }
        return Self.resolvers(scaledJob, specification).reduce(into: ParameterResolver.Needs()) { needs, resolver in
            needs.formUnion(resolver.needs(self.authentications))
        }
    }

    /// Secrets that the ScaledJob's parameters may come from.
    package func referencedSecrets(_ scaledJob: ScaledJob) -> Set<ObjectKey> { self.needs(of: scaledJob).secrets }

    /// Everything that is wrong, in the order of the manifest.
    package func problems(of scaledJob: ScaledJob) -> [Problem] {
        let specification: ScaledJobSpecification
        switch Self.parse(scaledJob) {
        case .success(let parsed): specification = parsed
        case .failure(let invalid): return invalid.problems
        }
        return Self.resolvers(scaledJob, specification).flatMap { resolver -> [Problem] in
            guard let offer = self.offers[resolver.trigger.type] else { return [self.unknownType(resolver)] }
            if specification.items != nil, !offer.declaration.capabilities.items {
                return [ItemPolicy.unsupported(type: resolver.trigger.type, index: resolver.index)]
            }
            let resolution = resolver.resolve(
                offer.declaration,
                authentications: self.authentications,
                sources: self.sources
            )
            switch resolution {
            case .resolved: return []
            case .waiting(let what): return [Problem("spec.triggers[\(resolver.index)]", what)]
            case .problems(let problems): return problems
            }
        }
    }

    /// The Job that would be created, under the name of a trial.
    package static func trial(
        _ scaledJob: ScaledJob,
        version: String
    ) throws -> (key: ObjectKey, body: [UInt8])? {
        guard case .success(let specification) = Self.parse(scaledJob) else { return nil }
        let template = try JobTemplate(
            for: scaledJob,
            jobTargetRef: specification.jobTargetRef,
            version: version,
            carriesItems: specification.items != nil
        )
        let key = ObjectKey(namespace: scaledJob.key.namespace, name: Self.trialName(scaledJob.key.name))
        return (key, template.body(name: key.name))
    }

    private static func parse(_ scaledJob: ScaledJob) -> Result<ScaledJobSpecification, InvalidSpecification> {
        ScaledJobSpecification.parse(scaledJob.spec, annotations: scaledJob.metadata.annotations)
    }

    /// A name that a Job may have, whatever the ScaledJob's may be cut to.
    private static func trialName(_ name: String) -> String {
        var start = name.prefix(50)
        while let last = start.last, !last.isLetter, !last.isNumber { start.removeLast() }
        return start.isEmpty ? "trial" : "\(start)-trial"
    }

    private func unknownType(_ resolver: ParameterResolver) -> Problem {
        Problem(
            "spec.triggers[\(resolver.index)].type",
            UnknownTriggerType(
                type: resolver.trigger.type,
                offered: self.offers.keys.sorted(),
                survey: self.survey
            ).message
        )
    }

    private static func resolvers(
        _ scaledJob: ScaledJob,
        _ specification: ScaledJobSpecification
    ) -> [ParameterResolver] {
        specification.triggers.enumerated().map { index, trigger in
            var resolver = ParameterResolver(
                trigger: trigger,
                index: index,
                namespace: scaledJob.key.namespace,
                jobTargetRef: specification.jobTargetRef,
                containerName: specification.envSourceContainerName
            )
            resolver.namesAbsentVariables = true
            return resolver
        }
    }
}

/// What came of asking the plugins that are installed here.
package struct PluginAnswers: Sendable, Equatable {
    /// Types that have a plugin which could not be asked.
    package var silent: Set<String>

    package init(silent: Set<String> = []) {
        self.silent = silent
    }
}

/// A trigger type that no plugin offers.
package struct UnknownTriggerType {
    let type: String
    let offered: [String]
    let survey: PluginAnswers?

    package init(type: String, offered: [String], survey: PluginAnswers? = nil) {
        self.type = type
        self.offered = offered
        self.survey = survey
    }

    package var message: String {
        if let survey {
            guard !survey.silent.contains(self.type) else {
                return
                    "\"\(self.type)\" cannot be checked: sluice-plugin-\(self.type) could not be started, or did not say what it "
                    + "offers; start it by hand to see why"
            }
            let others = self.offered.isEmpty ? "" : ", only \(self.offered.joined(separator: ", "))"
            let mend = self.offered.isEmpty ? "" : "correct it, "
            return
                "\"\(self.type)\" is unknown: no plugin offers it here\(others); \(mend)install its plugin, or leave this "
                + "ScaledJob to KEDA"
        }
        let mend =
            self.offered.isEmpty
            ? "no plugin is connected; start the plugin that offers it"
            : "the connected plugins offer \(self.offered.joined(separator: ", ")); correct it, or start the plugin "
                + "that offers it"
        return "\"\(self.type)\" is unknown; \(mend)"
    }
}
