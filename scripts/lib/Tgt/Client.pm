# SPDX-License-Identifier: BSD-3-Clause
#
# Tgt::Client - a connection to tgtd's management socket; doc/rpc.md has the calls.
#
#	my $tgtd = Tgt::Client->new(control_port => 0, quit => sub { ... });
#	my $result = $tgtd->call('target.list', {});
#
# quit is called with an exit code and a sentence where there is no daemon, and does
# not return.  The connection is made by the first call.

package Tgt::Client;

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP ();
use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);

use constant {
	EXIT_SCRIPT => 1, EXIT_NO_FILE => 2, EXIT_INVALID => 22, EXIT_NO_DAEMON => 107,
};
our @EXPORT_OK = qw(EXIT_SCRIPT EXIT_NO_FILE EXIT_INVALID EXIT_NO_DAEMON);

my $json = JSON::PP->new->utf8->allow_nonref;

sub new
{
	my ($class, %self) = @_;

	return bless { control_port => 0, %self }, $class;
}

sub path
{
	my ($self) = @_;

	return ($ENV{TGT_IPC_SOCKET} || '/var/run/tgtd/socket') . '.' . $self->{control_port};
}

sub _connect
{
	my ($self) = @_;
	my $path = $self->path;
	my $fine = length($path) < 108 && socket($self->{socket}, AF_UNIX, SOCK_STREAM, 0) &&
		connect($self->{socket}, pack_sockaddr_un($path));

	$self->{quit}->($!{EACCES} ? $!+0 : EXIT_NO_DAEMON,
		"cannot reach tgtd at $path: " . (length($path) < 108 ? $! : 'the path is too long'))
		unless $fine;
}

# One call: its result, or an object with the member error.
sub call
{
	my ($self, $method, $params) = @_;
	my $request = $json->encode({ jsonrpc => '2.0', id => 1, method => $method,
		params => $params }) . "\n";
	my ($sent, $answer) = (0, '');

	$self->_connect unless $self->{socket};
	local $SIG{PIPE} = 'IGNORE';
	while ($sent < length($request)) {
		my $n = syswrite($self->{socket}, $request, length($request) - $sent, $sent);
		next if !defined $n && $!{EINTR};
		last unless defined $n;		# what it said before is still there
		$sent += $n;
	}
	until ($answer =~ /\n\z/) {
		my $n = sysread($self->{socket}, $answer, 1 << 20, length($answer));
		next if !defined $n && $!{EINTR};
		$self->{quit}->(EXIT_NO_DAEMON, 'tgtd closed the connection') unless $n;
	}
	$answer = $json->decode($answer);
	return $answer->{error} ? { error => $answer->{error} } : $answer->{result};
}

# Its result; an error ends the program.
sub result_of
{
	my ($self, @call) = @_;
	my $result = $self->call(@call);

	$self->{quit}->(EXIT_INVALID, $result->{error}{message}) if $result->{error};
	return $result;
}

# Names of targets by tid, without the longer lists that the daemon has.
sub targets_by_tid
{
	my ($self) = @_;
	my $drivers = $self->result_of('driver.list', {})->{drivers};

	return { map { $_->{tid} => $_->{name} } map { @{$_->{targets}} } @$drivers };
}

# --- the targets of tgt-rbdmap ------------------------------------------------
#
# Their names are in a file beside the socket, which goes where the socket goes:
# tgt-rbdmap finds there what is its own, and tgt-admin what is not in targets.conf
# and yet meant to stay.

sub rbdmap_path
{
	my ($self) = @_;

	return $self->path . '.rbdmap';
}

sub rbdmap_names
{
	my ($self) = @_;

	open(my $in, '<', $self->rbdmap_path) or return ();
	chomp(my @names = <$in>);
	return @names;
}

1;
