//! The golden cases, by everything that answers: the engine on the host, the loaded programs, the sockets.

use tm_tests::{
    golden::{Case, cases, cases_by_default},
    host::answer_frame,
    namespace::require_root,
    parity::Pair,
    property::{WORLD, check_frame, check_message},
    world::World,
};

/// All that is wrong, not only the first of it.
fn judge(check: impl Fn(&Case) -> anyhow::Result<()>) {
    judge_all(cases(), check);
}

fn judge_all(cases: anyhow::Result<Vec<Case>>, check: impl Fn(&Case) -> anyhow::Result<()>) {
    let cases = cases.unwrap_or_else(|error| panic!("{error:#}"));
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| check(case).err()).map(|error| format!("{error:#}")).collect();
    assert!(wrong.is_empty(), "{} of {} are wrong\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_engine_on_the_host() {
    judge(
        |case| {
            if case.over_tcp { Ok(()) } else { case.judge(answer_frame(&case.frame.build(), &WORLD.image)) }
        },
    );
}

#[test]
fn the_loaded_programs() {
    require_root();
    let pair =
        World::new().and_then(|world| Pair::load(world.image)).unwrap_or_else(|error| panic!("{error:#}"));
    judge(|case| if case.over_tcp { Ok(()) } else { case.judge(pair.ask(&case.frame.build())?) });
}

#[test]
fn the_sockets() {
    judge(|case| case.ask_sockets(&WORLD.responder));
}

#[test]
fn rfc_7766_section_8_the_sockets_over_connections() {
    judge(|case| case.ask_connections(&WORLD.responder));
}

#[test]
fn by_default_what_is_over_512_octets_is_not_for_everybody() {
    require_root();
    let world = World::by_default().unwrap_or_else(|error| panic!("{error:#}"));
    judge_all(cases_by_default(), |case| case.ask_sockets(&world.responder));
    let pair = Pair::load(world.image).unwrap_or_else(|error| panic!("{error:#}"));
    // The engine on the host is asked with the programs, and must agree.
    judge_all(cases_by_default(), |case| {
        if case.over_tcp { Ok(()) } else { case.judge(pair.ask(&case.frame.build())?) }
    });
}

#[test]
fn what_holds_for_any_octets_holds_for_them() {
    judge(|case| {
        check_frame(&case.frame.build());
        check_message(&case.frame.payload);
        Ok(())
    });
}
