import { findPerl } from './perl.ts';
import { setnsNumber } from './setns-number.ts';

/*
 * What runs in a namespace that was entered, as text of a language that hosts have. It waits outside for a line with the path of a
 * namespace; then it reads one command a line and says after each, as `\n=<count> <0 or not>\n`, how it ended:
 *
 *     w <key> <value>        writes a sysctl
 *     r <key>                shows one
 *     s <descriptor> <words> starts a program on a descriptor
 *     n                      does nothing, and so tells that it is inside
 *     q                      ends all programs, and leaves the namespace: what follows is a path again
 *
 * The descriptors stay open for who comes next, so marks stand in them: `\n<ended>\n` behind what a program said that has ended, and
 * `\n<left>\n` on each that had a program, behind all else, when the namespace is left. Where a namespace can't be entered it says why, and
 * ends, so that no command is ever done in the wrong one. All ends with the pipes, hence also when this process is killed.
 */

/** Programs that can be started in one namespace: each has a descriptor, 3 and up. */
export const SLOTS = 3;

/** Words of a shell program: `$0` and what follows. The marks are lines that no program says. */
export interface NamespaceProgram {
  readonly script: string;
  readonly words: (ended: string, left: string) => readonly string[];
}

const CLOSE_SLOTS = Array.from({ length: SLOTS }, (_, slot) => `${slot + 3}>&-`).join(' ');

/**
 * By nsenter: three programs for each namespace. A value is shown by cat, as the kernel gives it to one read only and a shell would read byte
 * by byte; and a shell around each program waits for its end. That shell may be told to end at any time: before it listens it dies and has
 * started nothing; before it knows the program's number it remembers. It kills, as what it has just forked would not yet die of less.
 */
const SHELL = `n=0
programs=
slots=
while read -r verb a b; do
  case $verb in
    w) printf '%s' "$b" > "/proc/sys/$a" ;;
    r) cat "/proc/sys/$a" ;;
    s) (p=; t=; trap 't=1; [ -z "$p" ] || kill -9 "$p"' TERM; exec >&"$a" 2>&1; $b <&"$a" ${CLOSE_SLOTS} & p=$!
        [ -z "$t" ] || kill -9 "$p"; wait "$p"; wait "$p"; printf '\\n%s\\n' "$1") &
       programs="$programs $!" slots="$slots $a" ;;
    q) [ -z "$programs" ] || kill $programs; wait; for a in $slots; do printf '\\n%s\\n' "$2" >&"$a"; done
       printf '\\n=%s 0\\n' "$n"; exit 0 ;;
  esac
  printf '\\n=%s %s\\n' "$n" "$?"
  n=$((n + 1))
done`;

export const BY_SHELL: NamespaceProgram = {
  script: 'exec 2>&1; while IFS= read -r path; do nsenter --net="$path" sh -c "$0" sh "$1" "$2" || exit; done',
  words: (ended, left) => [SHELL, ended, left],
};

/** By itself: no other program than those that are asked for. It goes back where it was before it takes another path. */
const PERL = `$| = 1;
open STDERR, '>&', \\*STDOUT;
my ($setns, $ended, $left) = @ARGV;
my $net = 0x40000000;
sub enter { syscall($setns, fileno($_[0]), $net) == 0 }
open my $home, '<', '/proc/self/ns/net' or die "nsenter: cannot open /proc/self/ns/net: $!\\n";
my %slot;
for (3 .. ${SLOTS + 2}) { open $slot{$_}, '+<&=', $_ or die }
my %of;
my %used;
sub mark { my ($slot, $mark) = @_; syswrite $slot{$slot}, "\\n$mark\\n" }
sub reap { my ($pid) = @_; my $slot = delete $of{$pid} or return; mark($slot, $ended) }
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = sub { local ($!, $?); while ((my $pid = waitpid -1, 1) > 0) { reap($pid) } };
while (defined(my $path = <STDIN>)) {
  chomp $path;
  open my $there, '<', $path or die "nsenter: cannot open $path: $!\\n";
  enter($there) or die "nsenter: reassociate to namespace 'ns/net' failed: $!\\n";
  close $there;
  my $n = 0;
  my $isHome = 0;
  %used = ();
  while (defined(my $line = <STDIN>)) {
    chomp $line;
    my ($verb, $a, $b) = split / /, $line, 3;
    my $failed = 0;
    if ($verb eq 'w') {
      my $file;
      $failed = !(sysopen($file, "/proc/sys/$a", 1) && defined syswrite $file, $b);
      print "$!\\n" if $failed;
    } elsif ($verb eq 'r') {
      my ($file, $text);
      $failed = !(sysopen($file, "/proc/sys/$a", 0) && defined sysread $file, $text, 65536);
      print $failed ? "$!\\n" : $text;
    } elsif ($verb eq 's') {
      local $SIG{CHLD};
      my $pid = fork;
      if (defined $pid && $pid == 0) {
        $SIG{$_} = 'DEFAULT' for 'PIPE', 'CHLD';
        open STDIN, '<&', $slot{$a}; open STDOUT, '>&', $slot{$a}; open STDERR, '>&', $slot{$a};
        close $_ for values %slot;
        my @words = split / /, $b;
        exec { $words[0] } @words or print "$words[0]: $!\\n";
        kill 'KILL', $$;
      }
      $used{$a} = 1;
      if (defined $pid) { $of{$pid} = $a } else { print "$!\\n"; $failed = 1 }
    } elsif ($verb eq 'q') {
      local $SIG{CHLD};
      kill 'TERM', keys %of;
      while ((my $pid = waitpid -1, 0) > 0) { reap($pid) }
      enter($home) or die "nsenter: reassociate to namespace 'ns/net' failed: $!\\n";
      mark($_, $left) for keys %used;
      $isHome = 1;
    }
    while (!$isHome && (my $pid = waitpid -1, 1) > 0) { reap($pid) }
    print "\\n=$n ", $failed ? 1 : 0, "\\n";
    $n++;
    last if $isHome;
  }
  last unless $isHome;
}`;

/** Undefined where the number of the system call is not known. */
export function byPerl(arch: NodeJS.Architecture = process.arch): NamespaceProgram | undefined {
  const setns = setnsNumber(arch);
  return setns === undefined
    ? undefined
    : { script: 'exec 2>&1; exec perl -e "$0" "$@"', words: (ended, left) => [PERL, String(setns), ended, left] };
}

/** The quickest that this host has. */
export function namespaceProgram(): NamespaceProgram {
  return (findPerl() === undefined ? undefined : byPerl()) ?? BY_SHELL;
}
