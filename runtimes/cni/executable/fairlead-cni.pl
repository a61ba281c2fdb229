#!/usr/bin/perl
# The executable of a CNI plugin in perl, where fairlead-cni.c can't run: hands its invocation to the daemon and prints the answer. What
# it promises stands in ../wire.ts. It loads no module: Socket alone would take three times as long as all of this.
use strict;

# `fairlead cni install` writes its values into these, in a copy of this program.
my ($socket_path, $spool_path, $deadline_ms) = map { s/^[^=]*=//r } (
  'fairlead-slot:socket_path=/run/fairlead/cni.sock',
  'fairlead-slot:spool_path=/var/lib/fairlead/cni/spool',
  'fairlead-slot:deadline_ms=115000',
);

my $MAX_INVOCATION = 4 * 1024 * 1024;
my $MAX_ANSWER = 16 * 1024 * 1024;
# Numbers of Linux, on all architectures that Node has.
my ($AF_UNIX, $SOCK_STREAM) = (1, 1);
my ($ENOENT, $EINTR, $EAGAIN, $ECONNREFUSED) = (2, 4, 11, 111);
my ($O_WRONLY, $O_CREAT, $O_EXCL) = (01, 0100, 0200);
my @VERSIONS = qw(0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0);

$SIG{PIPE} = 'IGNORE';
open(STDIN, '<', '/dev/null') unless defined fileno(STDIN);
open(STDOUT, '>', '/dev/null') unless defined fileno(STDOUT);
open(STDERR, '>', '/dev/null') unless defined fileno(STDERR);
binmode($_) for *STDIN, *STDOUT, *STDERR;

my $verb = $ENV{CNI_COMMAND} // '';
if ($verb eq '') {
  write_all(*STDERR, "Fairlead: a CNI plugin made of rules. It hands invocations to the daemon at $socket_path.\n"
      . 'CNI protocol versions supported: ' . join(', ', @VERSIONS) . "\n");
  exit 0;
}
if ($verb eq 'VERSION') {
  my $list = join(',', map { "\"$_\"" } @VERSIONS);
  exit(write_all(*STDOUT, "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[$list]}\n") ? 0 : 1);
}

# Whole seconds: finer ones need a module that the smallest perl has not.
my $seconds = int(($deadline_ms + 999) / 1000);
$seconds = 10 if $verb eq 'STATUS' && $seconds > 10;
my $late = 0;
$SIG{ALRM} = sub { $late = 1; die "it did not answer in time\n" if $^S };
alarm $seconds;

my $stdin = '';
my $invocation = "fairlead-cni/1\n";
$invocation .= "$_=$ENV{$_}\0" for grep { /^(?:CNI_.*|TRACEPARENT|TRACESTATE|BAGGAGE)$/s } keys %ENV;
$invocation .= 'TYPE=' . ($0 =~ s/.*\///sr) . "\0\0";
for (;;) {
  my $room = $MAX_INVOCATION - length($invocation) - length($stdin);
  fail(6, 'the invocation is too large', "it has at most $MAX_INVOCATION bytes") if $room < 0;
  my $count = eval { sysread(STDIN, $stdin, $room >= 65536 ? 65536 : $room + 1, length $stdin) };
  fail(5, 'error reading from stdin', 'it did not end in time') if $late;
  next if !defined $count && ($! == $EINTR || $! == $EAGAIN);
  fail(5, 'error reading from stdin', 'errno ' . ($! + 0)) unless defined $count;
  last if $count == 0;
}
$invocation .= $stdin;

my $answer = eval { ask() };
my $reason = $@;
alarm 0;
if (defined $answer) {
  write_all(*STDERR, $answer->[2]);
  exit(write_all(*STDOUT, $answer->[1]) ? $answer->[0] : 1);
}
chomp $reason;
fail($verb eq 'STATUS' ? 50 : 11, 'the daemon did not answer', "$socket_path: $reason") if $verb ne 'DEL';
spool() or fail(11, "the daemon did not answer, and the DEL can't be kept for it", "$spool_path: errno " . ($! + 0));
exit 0;

# What the daemon answers: exit code, standard output, standard error. Dies with why there is no answer.
sub ask {
  die "it did not answer in time\n" if $late;
  die "the path is too long for a socket\n" if length($socket_path) > 107;
  socket(my $socket, $AF_UNIX, $SOCK_STREAM, 0) or die 'errno ' . ($! + 0) . "\n";
  until (connect($socket, pack('S a108', $AF_UNIX, $socket_path))) {
    next if $! == $EINTR;
    die "there is no such socket\n" if $! == $ENOENT;
    die "nobody listens there\n" if $! == $ECONNREFUSED;
    die 'errno ' . ($! + 0) . "\n";
  }
  # Where it hung up, it may have answered before.
  write_all($socket, $invocation);
  shutdown($socket, 1);
  my $received = '';
  while (length($received) <= $MAX_ANSWER) {
    my $count = sysread($socket, $received, 65536, length $received);
    next if !defined $count && $! == $EINTR;
    last unless $count;
  }
  my ($code, $out, $err) = $received =~ /^(\d{1,3}) (\d{1,9}) (\d{1,9})\n/ or die "its answer was cut off\n";
  my $head = $+[0];
  die "its answer was cut off\n" if $code > 255 || length($received) != $head + $out + $err;
  return [$code, substr($received, $head, $out), substr($received, $head + $out)];
}

# Keeps what would have been sent for a later daemon. False, and why in $!, where it could not.
sub spool {
  require IO::Handle;
  mkdir $spool_path, 0700;
  my $name = sprintf '%010d000000000-%d', time, $$;
  # A folder is opened to bring its new name to disk, too.
  open(my $folder, '<', $spool_path) or return 0;
  sysopen(my $file, "$spool_path/.$name", $O_WRONLY | $O_CREAT | $O_EXCL, 0600) or return 0;
  my $done =
    write_all($file, $invocation) && $file->sync && close($file) && rename("$spool_path/.$name", "$spool_path/$name") && $folder->sync;
  return 1 if $done;
  my $error = $!;
  unlink "$spool_path/.$name";
  $! = $error;
  return 0;
}

sub write_all {
  my ($file, $bytes) = @_;
  for (my $written = 0; $written < length $bytes;) {
    my $count = syswrite($file, $bytes, length($bytes) - $written, $written);
    if (defined $count) { $written += $count }
    elsif ($! == $EAGAIN) { select(undef, undef, undef, 0.01) }
    elsif ($! != $EINTR) { return 0 }
  }
  return 1;
}

sub fail {
  my ($code, $message, $details) = @_;
  my $version = $stdin =~ /"cniVersion"[ \t\n\r:]*"([0-9.]{1,16})"/ ? "    \"cniVersion\": \"$1\",\n" : '';
  write_all(*STDOUT, "{\n$version    \"code\": $code,\n    \"msg\": \"$message\",\n    \"details\": \"$details\"\n}\n");
  exit 1;
}
