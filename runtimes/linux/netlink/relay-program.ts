import { endianness } from 'node:os';
import { findPerl } from '../perl.ts';
import { setnsNumber } from '../setns-number.ts';

/*
 * Node has no netlink sockets, so a small program of a language that hosts have holds them: it passes messages on to the kernel and answers
 * back, and knows nothing of what they say. It stays outside of all namespaces but for the moment in which it opens a socket in one, or a
 * file below /proc/sys, which are those of whoever opens them; a socket stays where it was opened. So an attachment needs no process of its
 * own. It ends with its input, hence also when this process is killed.
 *
 * Numbers are little-endian. What it reads are frames `<bytes: u32> <what: u8> <place: u16> <rest>`:
 *
 *     1  opens a place in the namespace at the path `rest`; 0 is where it was started, and is open
 *     2  closes one
 *     3  talks: `rest` are messages `<bytes: u32> <kept: u8> <patches: u8> {<at: u16> <what: u8> <of: u16>} <message>`, sent one after
 *        the other until one fails, each when the one before is acknowledged. `kept`: the register for the index of the link that is
 *        answered, without an acknowledgement; 255 for none. A patch writes 32 bits into a message: (0) what a register holds, (1) the
 *        descriptor of a place's namespace.
 *     4  writes a key below /proc/sys: `<key>\0<value>`
 *     5  shows one
 *
 * 64 more makes a talk a condition for those behind it: that all of it was done; 128 more is one that is not looked at where the condition behind which
 * it stands is not met, and is answered with ECANCELED.
 *
 * What it writes are frames `<bytes: u32> <errno: u32> <rest>`: first one that says that it is there, then one for each that it was sent,
 * when it has no more of them to look at; of a talk `{<bytes: u32> <answer>}` for each message that was sent, of a key its text. Linux: rtnetlink(7), netlink(7), linux/netlink.h.
 */
const PERL = `my ($setns) = @ARGV;
my ($in, $out, $answer) = ('', '', '');
my (%net, %talk);
my $met = 1;
sub enter { syscall($setns, fileno($_[0]), 0x40000000) == 0 }
sub talker {
  socket my $to, 16, 0x80003, 0 or return;
  setsockopt $to, 270, $_, pack 'i', 1 for 10, 11, 12;
  $to
}
sub reply { my ($errno, $rest) = @_; $out .= pack('LL', 4 + length $rest, $errno) . $rest }
sub flush {
  for (my $at = 0; $at < length $out; ) {
    my $done = syswrite STDOUT, $out, length($out) - $at, $at;
    exit 1 unless defined $done;
    $at += $done;
  }
  $out = '';
}
sub within {
  my ($place, $act) = @_;
  return $act->() unless $place;
  return 3 unless $net{$place};
  return $! + 0 unless enter($net{$place});
  my $errno = $act->();
  enter($net{0}) or exit 1;
  $errno
}
open $net{0}, '<', '/proc/self/ns/net' or exit 1;
$talk{0} = talker() or exit 1;
reply(0, '');
while (1) {
  while (length $in < 4 || length $in < 4 + unpack 'L', $in) {
    flush();
    exit unless sysread STDIN, $in, 262144, length $in;
  }
  my $frame = substr $in, 4, unpack 'L', $in;
  substr($in, 0, 4 + length $frame) = '';
  my ($what, $place) = unpack 'CS', $frame;
  my ($sets, $heeds) = ($what & 64, $what & 128);
  $what &= 63;
  if ($heeds && !$met) { reply(125, ''); next }
  if ($what == 1) {
    my ($there, $to);
    my $errno = open($there, '<', substr $frame, 3) ? 0 : $! + 0;
    if (!$errno) {
      $net{$place} = $there;
      $errno = within($place, sub { ($to = talker()) ? 0 : $! + 0 });
      $talk{$place} = $to unless $errno;
      delete $net{$place} if $errno;
    }
    reply($errno, '');
  } elsif ($what == 2) {
    delete $talk{$place};
    delete $net{$place};
    reply(0, '');
  } elsif ($what == 3) {
    my $to = $talk{$place};
    my ($errno, $ended, $rest, $at, @register) = (0, 0, '', 3);
    $errno = 3 unless $to;
    while ($to && $at < length $frame) {
      my ($length, $kept, $patches) = unpack "x$at LCC", $frame;
      $at += 6;
      my $message = substr $frame, $at + 5 * $patches, $length;
      for (1 .. $patches) {
        my ($where, $kind, $of) = unpack "x$at SCS", $frame;
        $at += 5;
        substr($message, $where, 4) = pack 'L', $kind ? ($net{$of} ? fileno $net{$of} : 0xffffffff) : $register[$of];
      }
      $at += $length;
      if (!defined send $to, $message, 0) { $errno = $! + 0; last }
      my ($said, $failed, $over) = ('', 0, 0);
      until ($over) {
        if (!defined recv $to, $answer, 65536, 0) { $errno = $! + 0; last }
        $said .= $answer;
        for (my $begin = 0; $begin + 16 <= length $answer; ) {
          my ($bytes, $type) = unpack "x$begin LS", $answer;
          last if $bytes < 16;
          if ($type == 2) { $over = 1; $failed = unpack 'l', substr $answer, $begin + 16, 4 }
          elsif ($type == 3) { $over = 1; $failed = unpack 'l', substr $answer, $begin + 16, 4 }
          elsif ($type == 16 && $kept != 255) { $over = 1; $register[$kept] = unpack 'L', substr $answer, $begin + 20, 4 }
          $begin += ($bytes + 3) & ~3;
        }
      }
      $rest .= pack('L', length $said) . $said;
      $ended = $failed || $errno;
      last if $ended;
    }
    $met = !$ended && !$errno if $sets;
    reply($errno, $rest);
  } elsif ($what == 4 || $what == 5) {
    my ($key, $value) = split /\\0/, substr($frame, 3), 2;
    my $text = '';
    my $errno = within($place, sub {
      my $file;
      return $! + 0 unless sysopen $file, "/proc/sys/$key", $what == 4 ? 1 : 0;
      return $! + 0 unless defined($what == 4 ? syswrite $file, $value : sysread $file, $text, 65536);
      0
    });
    reply($errno, $text);
  } else { exit 1 }
}`;

export interface RelayProgram {
  readonly file: string;
  readonly arguments: readonly string[];
}

/** How the relay is started; undefined where this host lacks what it needs. */
export function relayProgram(arch: NodeJS.Architecture = process.arch): RelayProgram | undefined {
  const setns = setnsNumber(arch);
  // Numbers of netlink are as the machine has them, and only little-endian ones are known here.
  const perl = setns === undefined || endianness() !== 'LE' ? undefined : findPerl();
  return perl === undefined ? undefined : { file: perl, arguments: ['-e', PERL, String(setns)] };
}
