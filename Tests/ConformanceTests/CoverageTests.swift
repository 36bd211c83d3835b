import Testing

/// Every row of the table has a test.
@Suite struct CoverageTests {
    /// The rows of all tables here.
    private static let rows: [any ConformanceRow] = [[any ConformanceRow]](
        arrayLiteral: TableATests.rows,
        TableBTests.rows,
        TableCTests.rows,
        TableDTests.rows,
        TableETests.rows,
        TableFTests.rows,
        TableGTests.rows,
        TableHTests.rows,
        FinishedJobTests.rows,
        HistoryTests.rows,
        JobConstructionTests.rows,
        PauseAnnotationTests.rows,
        RolloutRuleTests.rows,
        ActivityRow.rows,
        AdmissionTests.rows,
        AuthenticationTable.rows,
        EnvironmentTable.rows,
        ParameterTable.rows,
        StatusRow.rows
    ).flatMap { $0 }

    /// The numbers of the table; they are not consecutive.
    private static let wanted = [
        "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9",
        "B1", "B3", "B4", "B6",
        "C1", "C3", "C4", "C6", "C7", "C9", "C10", "C12", "C13",
        "D1", "D3", "D4", "D6", "D7", "D9", "D10", "D12", "D13", "D15", "D16", "D18", "D19",
        "E1", "E3", "E4", "E6", "E7", "E9", "E10", "E12", "E13", "E15", "E16", "E18", "E19", "E21", "E22", "E24",
        "E25", "E27", "E28", "E30", "E31",
        "F1", "F3", "F4", "F6", "F7",
        "G1", "G3", "G4", "G6", "G6b", "G7", "G7b", "G7c", "G9", "G9b", "G9c", "G9d", "G10", "G12", "G13", "G15",
        "G16", "G18", "G18b", "G19", "G21", "G22", "G24", "G25", "G27", "G28",
        "H1", "H3", "H4", "H6", "H7", "H9", "H10", "H12", "H13", "H15", "H16", "H18", "H19", "H21",
        "I1", "I3", "I4", "I6", "I7",
        "J1", "J3", "J4", "J6", "J7",
        "K1", "K3", "K4", "K6", "K7", "K9",
        "L1", "L3", "L4", "L6",
        "M1", "M3", "M4", "M6", "M7",
        "N1", "N3", "N4", "N6", "N7", "N9", "N10", "N12", "N13", "N15", "N16", "N18",
        "O1", "O3", "O4", "O6", "O7", "O9", "O10", "O12", "O13", "O15", "O16", "O18", "O19", "O21",
        "P1", "P3", "P4", "P6", "P7", "P9", "P10",
        "Q1", "Q3", "Q4", "Q6", "Q7", "Q9", "Q10", "Q12", "Q13", "Q15", "Q16", "Q18", "Q19", "Q21", "Q22",
    ]

    @Test func everyRowIsTestedOnce() {
        #expect(Self.rows.map(\.id).sorted() == Self.wanted.sorted())
    }

    @Test func differencesHaveAReason() {
        for row in Self.rows {
            #expect(row.difference?.isEmpty != true, "\(row.id)")
        }
    }
}
