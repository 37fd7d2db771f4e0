//! `render(parse(line)) == line`, and batches that do not matter.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_of_any_format_are_given_back_as_logged(
        (fields, lines) in fields().prop_flat_map(|fields| { let lines = lines_of(&fields, 1..6); (Just(fields), lines) })
    ) {
        // Lines of few words that begin like field names could be headers; those that are made here never are.
        let out = decode(Some(Format::of(&fields)), &lines.join("\n"));
        prop_assert!(out.rejects.is_empty(), "{:?}", out.rejects);
        prop_assert_eq!(rendered(&out.columns), lines);
    }

    #[test]
    fn values_are_those_of_their_fields(
        (fields, lines) in fields().prop_flat_map(|fields| { let lines = lines_of(&fields, 1..3); (Just(fields), lines) })
    ) {
        let out = decode(Some(Format::of(&fields)), &lines.join("\n"));
        for (row, line) in lines.iter().enumerate() {
            for (field, token) in fields.iter().zip(line.split(' ')) {
                let columns = &out.columns;
                if token == "-" {
                    // The time of a row and the like are told by other means; what was not logged is absent.
                    prop_assert_eq!(columns.code(*field, row), 0, "{} of {}", field.name(), line);
                    continue;
                }
                match field.kind() {
                    Kind::Addr => prop_assert_eq!(columns.address(*field, row), token.parse().ok()),
                    Kind::Text => prop_assert_eq!(columns.word(*field, row), Some(token)),
                    Kind::Time => {
                        let logged: u64 = token.parse().unwrap();
                        let seconds = if token.len() == 13 { logged / 1000 } else { logged };
                        prop_assert_eq!(columns.number(*field, row), Some(seconds));
                    }
                    _ => prop_assert_eq!(columns.number(*field, row), token.parse().ok()),
                }
            }
        }
    }

    #[test]
    fn a_header_line_says_the_same_as_a_given_format(
        (fields, lines) in fields().prop_filter("a header names three fields or more", |fields| fields.len() >= 3)
            .prop_flat_map(|fields| { let lines = lines_of(&fields, 1..4); (Just(fields), lines) })
    ) {
        let out = decode(None, &format!("{}\n{}", names(&fields), lines.join("\n")));
        prop_assert_eq!((out.headers, &out.rejects), (1, &Vec::new()));
        prop_assert_eq!(rendered(&out.columns), lines);
    }

    #[test]
    fn runs_of_white_space_are_one_space(
        (fields, lines) in fields().prop_flat_map(|fields| { let lines = lines_of(&fields, 1..4); (Just(fields), lines) }),
        gap in "[ \t]{1,3}", end in "( |\t|\r){0,2}"
    ) {
        let spaced: Vec<String> = lines.iter().map(|line| format!("{}{end}", line.replace(' ', &gap))).collect();
        prop_assert_eq!(rendered(&decode(Some(Format::of(&fields)), &spaced.join("\n")).columns), lines);
    }

    #[test]
    fn any_cut_into_batches_gives_the_same_ring(
        mixed in prop::collection::vec(prop_oneof![
            6 => fields().prop_flat_map(|fields| {
                let header = names(&fields);
                lines_of(&fields, 0..4).prop_map(move |lines| format!("{header}\n{}", lines.join("\n")))
            }),
            3 => lines_of(&[Field::Version, Field::AccountId, Field::InterfaceId, Field::SrcAddr, Field::DstAddr, Field::SrcPort, Field::DstPort,
                Field::Protocol, Field::Packets, Field::Bytes, Field::Start, Field::End, Field::Action, Field::LogStatus], 1..4)
                .prop_map(|lines| lines.join("\n")),
            1 => "[ -~]{0,60}",
        ], 1..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let text = mixed.join("\n");
        let whole = decode(None, &text);
        let mut expected = Ring::new(1 << 20);
        expected.push_all(&whole.columns);

        // A source hands over whole lines.
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(lines.len() + 1)).chain([0, lines.len()]).collect();
        cuts.sort_unstable();
        let (mut decoder, mut ring, mut counts) = (Decoder::new(None), Ring::new(1 << 20), (0, 0, Vec::new()));
        for pair in cuts.windows(2) {
            let mut part = batch(&lines[pair[0]..pair[1]].concat());
            part.first_line = 1 + pair[0] as u64;
            let out = decoder.decode(&part);
            ring.push_all(&out.columns);
            counts = (counts.0 + out.lines, counts.1 + out.headers, [counts.2, out.rejects].concat());
        }
        prop_assert_eq!(counts, (whole.lines, whole.headers, whole.rejects));
        prop_assert_eq!((ring.next_seq(), ring.len()), (expected.next_seq(), expected.len()));
        for seq in 0..ring.next_seq() {
            prop_assert_eq!(held(&ring, seq), held(&expected, seq));
        }
        ring.prepare();
        expected.prepare();
        prop_assert_eq!(ring.span(), expected.span());
    }
}
