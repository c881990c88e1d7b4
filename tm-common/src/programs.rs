//! From program to program: what each of the kernel's programs does with a packet, and which one goes on with what it leaves.
//!
//! One program that does all is more than the verifier takes, and more than what is common should pay for. So the first one answers what is common, and leaves the rest, with
//! all that it knows already ([`Aside`], [`Case`](crate::aside::Case)), to one of those behind it. To go on is a tail call in the kernel (`tm-ebpf`), which comes back only where
//! there is no such program, and a call where tests do as the kernel does.

use crate::{
    answer::{self, answer_aside, answer_below, answer_sifted, put_aside, sift, slip, udp},
    aside::Left,
    edns::{ALL, NONE, ONLY_COOKIE},
    encloser::{self, Encloser, FEW},
    name::{LONG, SHORT},
    packet::Packet,
    tables::Names,
    verdict::Reason,
};

/// The programs that another one goes on with, each at its number.
pub const NAMES: [&str; 10] = [
    "tm_full",
    "tm_full_long",
    "tm_cookie",
    "tm_find",
    "tm_find_long",
    "tm_below",
    "tm_below_full",
    "tm_options",
    "tm",
    "tm_slip",
];
/// Any query for a short name, once that was looked up.
pub const FULL: u32 = 0;
/// Any query for a long name, likewise.
pub const FULL_LONG: u32 = 1;
/// Short names with a cookie and no other option, from where the first program has left them.
pub const COOKIE: u32 = 2;
/// Looks short names up behind tags, and those once more whose answers are of the large class.
pub const FIND: u32 = 3;
/// Looks up names of 65 to 255 octets.
pub const FIND_LONG: u32 = 4;
/// Names that are not there, by what there is above them.
pub const BELOW: u32 = 5;
/// The same with tags or options in the query, or with an answer of the large class, once the encloser was found.
pub const BELOW_FULL: u32 = 6;
/// Reads options for the three programs that answer with them, and goes back to that one.
pub const OPTIONS: u32 = 7;
/// The first one, where the kernel has another before it.
pub const FIRST: u32 = 8;
/// Tells those who had enough answers to come back over TCP.
pub const SLIP: u32 = 9;

/// What a program runs in.
pub trait Shell {
    /// The packet.
    type Packet: Packet;
    /// The tables, and what programs leave for one another.
    type Tables: Names<SHORT> + Names<LONG> + Left;
    /// What a program ends with.
    type End;

    /// The packet as it is now, and the tables.
    fn parts(&mut self) -> (&mut Self::Packet, &Self::Tables);
    /// The tables alone: who does not look at the packet does not read where it is.
    #[inline(always)]
    fn tables(&mut self) -> &Self::Tables {
        self.parts().1
    }
    /// Goes on with the program of this number, and ends as that does. `None` where there is none.
    fn go_on(&mut self, program: u32) -> Option<Self::End>;
    /// Ends with a packet that was answered, or refused for any reason.
    fn finish(&mut self, answered: Result<(), Reason>) -> Self::End;
    /// Ends with a packet that was refused for a reason of those that are not rare.
    fn pass(&mut self, reason: Reason) -> Self::End;
    /// The same with one in which nothing of ours was found, and which nobody has touched.
    fn let_by(&mut self, reason: Reason) -> Self::End;

    /// Answers what was let through.
    #[inline(always)]
    fn serve(&mut self, kind: u16) -> Result<(), Reason> {
        let (packet, tables) = self.parts();
        answer_sifted::<SHORT>(packet, kind, tables)
    }
    /// Answers a name that is not there by how it ends.
    #[inline(always)]
    fn deny(&mut self) -> Result<(), Reason> {
        let (packet, tables) = self.parts();
        answer::deny(packet, tables)
    }
    /// Finds the encloser of the name in the packet, whose UDP header is there.
    #[inline(always)]
    fn find_encloser(&mut self, udp: usize) -> Encloser {
        let (packet, tables) = self.parts();
        encloser::find::<FEW, _>(packet, udp, tables).unwrap_or(Encloser::NOTHING)
    }
}

/// The first program: answers what is common, and hands the rest on.
#[inline(always)]
pub fn run_first<S: Shell>(shell: &mut S) -> S::End {
    let (packet, tables) = shell.parts();
    let answered = match sift(packet, tables) {
        Ok(kind) => shell.serve(kind),
        Err(reason) => return shell.let_by(reason),
    };
    let end = match answered {
        Err(Reason::UnknownName) => return deny(shell),
        Err(reason) if !reason.is_rare() => None,
        Err(Reason::Full) => shell.go_on(FIND),
        Err(Reason::Options) => have_read(shell, answered, FULL),
        Err(Reason::LongName) => shell.go_on(FIND_LONG),
        Err(Reason::Cookie) => shell.go_on(COOKIE),
        Err(Reason::Slipped) => return go_slip(shell),
        _ => None,
    };
    end.unwrap_or_else(|| shell.finish(answered))
}

/// The program of this number, which is one of those above.
#[inline(always)]
pub fn run<S: Shell>(shell: &mut S, program: u32) -> S::End {
    match program {
        FULL => answer_full::<SHORT, S>(shell, FULL),
        FULL_LONG => answer_full::<LONG, S>(shell, FULL_LONG),
        COOKIE => answer_cookie(shell),
        FIND => find::<SHORT, S>(shell, FULL),
        FIND_LONG => find::<LONG, S>(shell, FULL_LONG),
        BELOW => below(shell),
        BELOW_FULL => below_full(shell),
        OPTIONS => read_options(shell),
        FIRST => run_first(shell),
        SLIP.. => tell(shell),
    }
}

#[inline(always)]
fn answer_cookie<S: Shell>(shell: &mut S) -> S::End {
    let (packet, tables) = shell.parts();
    let answered = answer_aside::<SHORT, ONLY_COOKIE>(packet, tables.aside(), tables);
    let end = match answered {
        Err(Reason::Full) => shell.go_on(FULL),
        _ => None,
    };
    end.unwrap_or_else(|| finish_named(shell, answered))
}

#[inline(always)]
fn find<const WORDS: usize, S: Shell>(shell: &mut S, next: u32) -> S::End
where
    S::Tables: Names<WORDS>,
{
    let (packet, tables) = shell.parts();
    let found = put_aside::<WORDS>(packet, tables);
    let end = match found {
        Ok(()) => shell.go_on(next),
        Err(_) => None,
    };
    end.unwrap_or_else(|| finish_named(shell, found.and(Reason::Full.refuse())))
}

#[inline(always)]
fn answer_full<const WORDS: usize, S: Shell>(shell: &mut S, own: u32) -> S::End
where
    S::Tables: Names<WORDS>,
{
    let (packet, tables) = shell.parts();
    let answered = answer_aside::<WORDS, ALL>(packet, tables.aside(), tables);
    have_read(shell, answered, own).unwrap_or_else(|| finish_named(shell, answered))
}

#[inline(always)]
fn below<S: Shell>(shell: &mut S) -> S::End {
    let (packet, tables) = shell.parts();
    let encloser = match udp(packet, tables) {
        Ok(udp) => shell.find_encloser(udp),
        Err(_) => Encloser::NOTHING,
    };
    let (packet, tables) = shell.parts();
    let answered = answer_below::<NONE>(packet, encloser, tables);
    let end = match answered {
        Err(Reason::Full | Reason::Options | Reason::Cookie) => {
            tables.keep_encloser(encloser);
            have_read(shell, answered, BELOW_FULL).or_else(|| {
                shell.tables().forget_options();
                shell.go_on(BELOW_FULL)
            })
        }
        _ => None,
    };
    end.unwrap_or_else(|| finish(shell, answered))
}

#[inline(always)]
fn below_full<S: Shell>(shell: &mut S) -> S::End {
    let (packet, tables) = shell.parts();
    let answered = answer_below::<ALL>(packet, tables.encloser(), tables);
    have_read(shell, answered, BELOW_FULL).unwrap_or_else(|| finish(shell, answered))
}

#[inline(always)]
fn read_options<S: Shell>(shell: &mut S) -> S::End {
    let (packet, tables) = shell.parts();
    let read = tables.read_options(packet);
    let end = match read {
        Ok(back) => shell.go_on(back),
        Err(_) => None,
    };
    end.unwrap_or_else(|| shell.finish(read.and(Reason::Options.refuse())))
}

/// Options are read by another program, which comes back to the one of this number.
#[inline(always)]
fn have_read<S: Shell>(shell: &mut S, answered: Result<(), Reason>, back: u32) -> Option<S::End> {
    let Err(Reason::Options) = answered else { return None };
    shell.tables().wait_for_options(back);
    shell.go_on(OPTIONS)
}

#[inline(always)]
fn finish_named<S: Shell>(shell: &mut S, answered: Result<(), Reason>) -> S::End {
    match answered {
        Err(Reason::UnknownName) => look_below(shell),
        _ => finish(shell, answered),
    }
}

#[inline(always)]
fn finish<S: Shell>(shell: &mut S, answered: Result<(), Reason>) -> S::End {
    match answered {
        Err(Reason::Slipped) => go_slip(shell),
        _ => shell.finish(answered),
    }
}

/// What is slipped is for another program to write; where there is none, it is dropped.
#[inline(always)]
fn go_slip<S: Shell>(shell: &mut S) -> S::End {
    shell.go_on(SLIP).unwrap_or_else(|| shell.finish(Err(Reason::Limited)))
}

#[inline(always)]
fn tell<S: Shell>(shell: &mut S) -> S::End {
    let (packet, tables) = shell.parts();
    let told = slip(packet, &tables.slip());
    shell.finish(told.and(Reason::Slipped.refuse()))
}

/// A name that is not there is answered here if how it ends tells by what, and is else for another program.
#[inline(always)]
fn deny<S: Shell>(shell: &mut S) -> S::End {
    let denied = shell.deny();
    if denied.is_ok() {
        return shell.finish(denied);
    }
    match denied {
        Err(Reason::Full) => shell.go_on(BELOW).unwrap_or_else(|| shell.pass(Reason::UnknownName)),
        Err(Reason::UnknownName) => shell.pass(Reason::UnknownName),
        _ => finish(shell, denied),
    }
}

/// A name that is not there is for another program, if there may be anything above it.
#[inline(always)]
fn look_below<S: Shell>(shell: &mut S) -> S::End {
    let (packet, tables) = shell.parts();
    let end = match encloser::may_be(packet, tables) {
        true => shell.go_on(BELOW),
        false => None,
    };
    end.unwrap_or_else(|| shell.pass(Reason::UnknownName))
}
