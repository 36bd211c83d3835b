import Scaling
import Testing

/// E: the strategies' formulas.
@Suite struct TableETests {
    struct Row: ConformanceRow {
        let id: String
        let choice: StrategyChoice
        let maxScale: Int
        let running: Int
        let pending: Int
        let ceiling: Int
        let queueLength: Int
        let effective: Int
        let scaleTo: Int
        let used: String

        init(
            _ id: String,
            _ choice: StrategyChoice,
            _ maxScale: Int,
            _ running: Int,
            _ pending: Int,
            _ ceiling: Int,
            _ queueLength: Int,
            effective: Int,
            _ scaleTo: Int,
            _ used: String
        ) {
            self.id = id
            self.choice = choice
            self.maxScale = maxScale
            self.running = running
            self.pending = pending
            self.ceiling = ceiling
            self.queueLength = queueLength
            self.effective = effective
            self.scaleTo = scaleTo
            self.used = used
        }
    }

    static let byDefault = StrategyChoice(named: .default)
    static let accurate = StrategyChoice(named: .accurate)
    static let eager = StrategyChoice(named: .eager)

    static func custom(_ deduction: Int?, _ percentage: String) -> StrategyChoice {
        .custom(deduction: deduction, percentage: percentage)
    }

    static let rows: [Row] = [
        Row("E1", byDefault, 3, 2, 0, 5, 1, effective: 1, 1, "default"),
        Row("E3", custom(1, "0.5"), 3, 2, 0, 5, 1, effective: 1, 1, "custom"),
        Row("E4", custom(1, "0.5"), 10, 0, 0, 10, 1, effective: 9, 1, "custom"),
        Row("E6", custom(nil, ""), 2, 0, 0, 5, 1, effective: 2, 1, "default"),
        Row("E7", custom(1, ""), 3, 2, 0, 5, 1, effective: 1, 1, "default"),
        Row("E9", custom(-2, "0"), 3, 2, 0, 4, 1, effective: 4, 1, "custom"),
        Row("E10", custom(nil, "0.5"), 10, 2, 0, 100, 1, effective: 9, 1, "custom"),
        Row("E12", accurate, 3, 2, 0, 5, 1, effective: 3, 1, "accurate"),
        Row("E13", accurate, 5, 2, 0, 5, 1, effective: 3, 1, "accurate"),
        Row("E15", accurate, 5, 4, 2, 5, 1, effective: 1, 1, "accurate"),
        Row("E16", accurate, 3, 3, 3, 5, 1, effective: 0, 1, "accurate"),
        Row("E18", accurate, 10, 10, 10, 15, 1, effective: 0, 1, "accurate"),
        Row("E19", accurate, 20, 15, 10, 20, 1, effective: 5, 1, "accurate"),
        Row("E21", eager, 4, 0, 3, 10, 1, effective: 4, 10, "eager"),
        Row("E22", eager, 4, 7, 0, 10, 1, effective: 3, 10, "eager"),
        Row("E24", eager, 15, 0, 0, 10, 1, effective: 10, 10, "eager"),
        Row("E25", byDefault, 2, 5, 0, 5, 2, effective: -3, 2, "default"),
        Row("E27", custom(0, "0"), 10, 20, 0, 10, 10, effective: 10, 10, "custom"),
        Row("E28", custom(1, "abc"), 5, 2, 0, 10, 5, effective: 3, 5, "default"),
        Row("E30", .automatic, 4, 1, 0, 10, 4, effective: 3, 4, "default"),
        Row("E31", accurate, 4, 10, 0, 10, 4, effective: 0, 4, "accurate"),
    ]

    @Test(arguments: rows) func everyStrategyHasItsFormula(row: Row) {
        let strategy = row.choice.strategy(for: [])
        let output = strategy.numbers(
            StrategyInput(
                maxScale: row.maxScale,
                running: row.running,
                pending: row.pending,
                ceiling: row.ceiling,
                scaleTo: row.queueLength
            )
        )
        #expect(output == StrategyOutput(effective: row.effective, scaleTo: row.scaleTo))
        #expect(strategy.name == row.used)
    }
}
