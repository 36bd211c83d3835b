import MongoDB
import Testing

@Suite struct BSONDocumentTests {
    @Test func literalsAreWhatTheLibraryReads() throws {
        let document: BSONDocument = [
            "text": "ä", "number": 3, "large": 5_000_000_000, "flag": true, "none": .null, "half": .double(0.5),
            "list": [1, ["deep": "x"]], "date": .date(milliseconds: 0),
        ]
        let expected =
            #"{ "text" : "ä", "number" : 3, "large" : 5000000000, "flag" : true, "none" : null, "half" : 0.5, "#
            + #""list" : [ 1, { "deep" : "x" } ], "date" : { "$date" : "1970-01-01T00:00:00Z" } }"#
        #expect(document.json(.relaxed) == expected)
        #expect(try BSONDocument(json: expected) == document)
    }

    @Test(arguments: [
        #"{ "v" : { "$oid" : "0123456789abcdef01234567" } }"#,
        #"{ "v" : { "$binary" : { "base64" : "AAEC", "subType" : "00" } } }"#,
        #"{ "v" : { "$regularExpression" : { "pattern" : "^a", "options" : "i" } } }"#,
        #"{ "v" : { "$numberDecimal" : "1.5" } }"#,
        #"{ "v" : { "$timestamp" : { "t" : 1, "i" : 2 } } }"#,
        #"{ "v" : { "$minKey" : 1 } }"#,
        #"{ "v" : { "$numberLong" : "7" }, "w" : { "$numberInt" : "1" } }"#,
        #"{ "v" : { "$date" : { "$numberLong" : "1700000000000" } } }"#,
    ])
    func everyTypeSurvivesBeingTakenApart(json: String) throws {
        let document = try BSONDocument(json: json)
        #expect(document.json(.canonical) == json)
        #expect(BSONDocument(document.elements.map { ($0.key, $0.value) }) == document)
    }

    @Test func bothFlavoursOfDatesAreTheSame() throws {
        let relaxed = try BSONDocument(json: #"{"at":{"$date":"2024-01-02T03:04:05Z"}}"#)
        let canonical = try BSONDocument(json: #"{"at":{"$date":{"$numberLong":"1704164645000"}}}"#)
        #expect(relaxed == canonical)
    }

    @Test func identifiersHaveTextOfTheirOwn() throws {
        let document = try BSONDocument(json: #"{"_id":{"$oid":"0123456789abcdef01234567"},"n":"x"}"#)
        #expect(document["_id"]?.canonicalJSON == #"{ "$oid" : "0123456789abcdef01234567" }"#)
        #expect(document["n"]?.canonicalJSON == #""x""#)
    }

    @Test func brokenTextIsRefusedWithTheReason() {
        let error = #expect(throws: MongoError.self) { try BSONDocument(json: #"{"a": nope}"#) }
        #expect(error?.domain == .syntax)
        #expect(error?.message.isEmpty == false)
    }
}
