//! Earlier time, an hour a press.

use flowtail::app::Effect;
use flowtail::record::{Earlier, Input, SourceState, SourceStatus};

use crate::stage::Stage;
use crate::{LINES, batch};

/// 14:00 and 15:00 of the day of the founding example.
const FOURTEEN: i64 = 1_534_773_600;
const FIFTEEN: i64 = FOURTEEN + 3_600;

/// A tail that has searched from `from` on, and will from `wanted`.
fn tail(from: i64, wanted: i64) -> Stage {
    let mut stage = Stage::new("/vpc/flow-logs", Some("us-west-1"), crate::look(), (120, 32));
    let earlier = Some(Earlier { from, wanted, begun: FIFTEEN });
    let status = SourceStatus { state: SourceState::Live, earlier, ..SourceStatus::default() };
    stage.feed([batch(LINES), Input::Status(Box::new(status))]);
    stage
}

#[test]
fn a_press_loads_an_hour_and_says_which() {
    let mut stage = tail(FIFTEEN, FIFTEEN);
    assert!(stage.shows("searched from 15:00Z") && !stage.shows("loading from"), "{}", stage.text());
    stage.run("[");
    assert_eq!(stage.effects, [Effect::LoadEarlier]);
    assert!(stage.shows("Loading 14:00Z to 15:00Z, newest first; X stops it."), "{}", stage.text());
    // Once more, while that is on its way.
    let mut stage = tail(FIFTEEN - 1_800, FOURTEEN);
    for (width, height) in [(200, 60), (120, 32), (80, 24)] {
        stage.resize(width, height);
        assert!(stage.shows("loading from 14:00Z: 50% (X stops it)"), "{width}x{height}:\n{}", stage.text());
    }
    assert!(stage.run("[").shows("Loading 13:00Z to 14:00Z"), "{}", stage.text());
    stage.run("X");
    assert_eq!(stage.effects, [Effect::StopLoading]);
    // Nothing is there before the first answer, and X has nothing to stop.
    let mut stage = Stage::new("/vpc/flow-logs", None, crate::look(), (120, 32));
    stage.run("[");
    assert!(stage.effects.is_empty() && stage.shows("Nothing was read so far"), "{}", stage.text());
}

#[test]
fn since_when_is_answered_with_what_was_searched() {
    let mut stage = tail(FOURTEEN, FOURTEEN);
    stage.run("/13.125.33.130<enter>e");
    assert!(stage.shows("first seen 15:25:43Z, searched from 14:00Z"), "{}", stage.text());
    let mut stage = tail(FOURTEEN - 86_400, FOURTEEN - 86_400);
    stage.run("/13.125.33.130<enter>e");
    assert!(stage.shows("first seen 2018-08-20 15:25:43Z, searched from 2018-08-19 14:00"), "{}", stage.text());
}

#[test]
fn since_when_stands_in_the_detail_of_a_record_and_of_a_session() {
    for keys in ["/13.125.33.130<enter>d", "2/13.125.33.130<enter>d"] {
        let mut stage = tail(FOURTEEN, FOURTEEN);
        stage.resize(160, 60);
        stage.run(keys);
        assert!(stage.shows("these two on port 11211 first seen 15:25:43Z, searched from 14:00Z"), "{}", stage.text());
    }
}
