#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Files that are followed, that fill a disk, rotate, are moved and linked; and who does not read stderr.
. "$(dirname "$0")/lib.sh"

# netlog_on FILE OPTIONS: netlog in the background as $pid, its messages in $work/message; when its start line is in the
# file, it returns
netlog_on() {
	lines=$1
	shift
	"$@" 2>>"$work/message" &
	pid=$!
	wait_for 30 started "$lines" || fail "no start: $(cat "$work/message")"
}

# end STATUS: SIGTERM, and the exit status that must follow
end() {
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	equal "exit status ($(cat "$work/message"))" $status "$1"
}

said() { wait_for 15 grep -q "$1" "$work/message" || fail "not said: $1: $(cat "$work/message")"; }

# Events that are in FILE..., and lines that NAME's lost lines tell of there
events_in() { cat "$@" | grep -cE '"event_type":"(retransmit|rtt|latency)"'; }
told_lost() { # NAME FILE...
	local name=$1
	shift
	cat "$@" | jq "select(.event_type == \"lost\" and .where == \"$name\") | .count" | sum
}

# ---- a full disk

# A file system of 2 MiB at $work/disk, with 256 KiB left
disk_make() { # TYPE
	needs_mounts
	mkdir "$work/disk"
	if [ "$1" = tmpfs ]; then
		mount -t tmpfs -o size=2M none "$work/disk" || fail "no tmpfs"
	else
		truncate -s 2M "$work/image"
		mkfs."$1" -q -F -m 0 "$work/image" || fail "no $1"
		mount -o loop "$work/image" "$work/disk" 2>"$work/mount" || skip "no loop device: $(cat "$work/mount")"
	fi
	head -c $(($(df --output=avail -B1 "$work/disk" | tail -n 1) - 262144)) /dev/zero >"$work/disk/filler"
}

# followed TYPE: the disk fills while two follow the file, and has room again; what they have got is the file
followed() {
	wire_up
	disk_make "$1"
	file=$work/disk/lines
	: >"$file"
	/usr/bin/python3 tests/live/follower.py "$file" "$work/copy" "$work/words" &
	follower=$!
	tail -n +1 -s 0.05 -F "$file" >"$work/tail" 2>"$work/tail.words" &
	tail_pid=$!
	netlog_on "$file" $netlog "${ours[@]}" -o "file:$file"
	for _ in 1 2; do
		traffic --messages 1000 --bytes 100 --reply 100
	done
	said "cannot write to file:$file: No space left"
	full=$(stat -c %s "$file")
	for _ in $(seq 5); do # netlog tries again at each drain
		traffic --messages 100
		[ "$(stat -c %s "$file")" -ge "$full" ] || fail "the file got shorter"
	done
	cp "$file" "$work/full"
	rm "$work/disk/filler"
	said "file:$file works again"
	end 0
	all() { cmp -s "$work/tail" "$file"; }
	wait_for 10 all || fail "tail -F has $(wc -l <"$work/tail") lines of $(wc -l <"$file"): $(cat "$work/tail.words")"
	kill "$follower" "$tail_pid"
	wait "$follower" "$tail_pid"
	cmp "$work/copy" "$file" || fail "the follower has $(wc -l <"$work/copy") lines of $(wc -l <"$file")"
	cp "$file" "$work/lines"
	umount "$work/disk"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "a line is not valid"
	! grep -a shrunk "$work/words" || fail "the file has shrunk"
	lost=$(told_lost "file:$file" "$work/lines")
	[ "$lost" -gt 0 ] || fail "nothing was lost: no test"
	equal "events in the file, and those told as lost there" "$(($(events_in "$work/lines") + lost))" \
		"$(tail -n 1 "$work/lines" | jq '.emitted | add')"
}

check_no_half() {
	! grep half "$work/words" || fail "half a line was there"
	equal "the last byte of the full file" "$(tail -c 1 "$work/full" | xxd -p)" 0a
}

test_who_follows_a_file_on_a_full_tmpfs_gets_each_line_once_and_whole() {
	followed tmpfs
	check_no_half
}

test_who_follows_a_file_on_a_full_ext4_gets_each_line_once_and_whole() {
	followed ext4
	check_no_half
}

# It reserves nothing beforehand: a line may wait there for its rest.
test_who_follows_a_file_on_a_full_ext2_gets_each_line_once() {
	followed ext2
}

# ---- rotation

# Each PATH.N that there is, with its inode
rotated() { stat -c '%n %i' "$1".[0-9]* 2>/dev/null | sort -V; } # one may go meanwhile

test_a_rotated_file_keeps_its_name_and_a_late_shipper_finds_all() {
	wire_up
	chatter 1
	file=$work/lines
	netlog_on "$work/all" $netlog "${ours[@]}" -o "file:$file,max-size=65536,max-files=1000" -o "file:$work/all"
	for n in 3 6; do
		wait_for 60 test -e "$file.$n" || fail "no rotation: $(ls "$work")"
		rotated "$file" >"$work/names.$n"
	done
	end 0
	rotated "$file" >"$work/names.end"
	for n in 3 6; do
		equal "names of a while ago" "$(grep -cxFf "$work/names.$n" "$work/names.end")" \
			"$(wc -l <"$work/names.$n")"
	done
	# shellcheck disable=SC2046 # names without blanks
	cat $(ls -v "$file".*) "$file" >"$work/whole"
	cmp "$work/whole" "$work/all" || fail "they are not the whole"
	# the next run goes on with the numbers, and keeps the newest
	newest() { rotated "$file" | sed -n '$s/.*\.\([0-9]*\) .*/\1/p'; }
	last=$(newest)
	netlog_on "$work/other" $netlog "${ours[@]}" -o "file:$file,max-size=65536,max-files=2" -o "file:$work/other"
	further() { [ "$(newest)" -ge $((last + 3)) ]; }
	wait_for 60 further || fail "no rotation: $(ls "$work")"
	end 0
	[ ! -e "$file.$last" ] && [ "$(rotated "$file" | count)" = 2 ] || fail "$(ls "$work")"
}

# Of a file that can only be appended to, nobody can change the name.
test_a_rotation_that_fails_eats_no_file() {
	wire_up
	chatter 1
	file=$work/lines
	netlog_on "$work/all" $netlog "${ours[@]}" -o "file:$file,max-size=65536,max-files=3" -o "file:$work/all"
	wait_for 60 test -e "$file.3" || fail "no rotation"
	chattr +a "$file" 2>"$work/chattr" || skip "no append-only files: $(cat "$work/chattr")"
	said "cannot write to file:$file: Operation not permitted"
	rotated "$file" >"$work/names"
	cp "$file" "$work/before"
	some() { [ "$(wc -l <"$work/all")" -gt $((seen + 1000)) ]; }
	seen=$(wc -l <"$work/all")
	wait_for 60 some || fail "no lines"
	rotated "$file" >"$work/names.then"
	cp "$file" "$work/then"
	chattr -a "$file" # else it could not be removed
	cmp "$work/names.then" "$work/names" || fail "files were moved"
	equal "rotated files while it fails" "$(wc -l <"$work/names.then")" 3
	cmp "$work/then" "$work/before" || fail "the file has changed"
	said "file:$file works again"
	end 0
	lines=$work/all
	check_books
	equal "rotated files" "$(rotated "$file" | count)" 3
}

# ---- limits

# As ulimit -f has it (KiB): of 16 KiB a start line and some events. SIGXFSZ would be status 153.
test_a_file_at_its_limit_is_a_failing_output_and_no_signal() {
	wire_up
	chatter 1
	limited() { bash -c 'ulimit -f 16; exec "$@"' bash "$@"; }
	status_of limited $netlog "${ours[@]}" -n 500 -o "file:$work/lines"
	equal "exit status ($message)" "$status" 74
	[[ $message == *"cannot write to file:$work/lines: File too large"* ]] || fail "$message"
	status_of limited $netlog "${ours[@]}" -n 500 >"$work/stdout"
	equal "exit status of stdout ($message)" "$status" 74
	status_of limited $netlog "${ours[@]}" -n 500 -w "$work/r"
	equal "exit status of a recording ($message)" "$status" 74
	$netlog "${ours[@]}" -q -n 500 -w "$work/all" || fail "no recording"
	status_of limited $netlog -q -r "$work/all" -o "file:$work/replayed"
	equal "exit status of a replay ($message)" "$status" 74
	status_of limited $netlog --schema >"$work/schema"
	equal "exit status of the schema ($message)" "$status" 74
	for file in lines stdout replayed; do
		within "bytes of $file" "$(stat -c %s "$work/$file")" 12000 16384
		/usr/bin/python3 tests/live/validate.py $netlog "$work/$file" || fail "$file: a line is cut"
	done
	$netlog -r "$work/r" >"$work/readable" || fail "the recording is cut"
}

# ---- links

# A user has a directory, in which root was asked to log or record; he exchanges his own file for a link all the time.
test_what_root_writes_in_a_directory_of_others_is_never_another_file_of_roots() {
	wire_up
	chatter 1
	$netlog "${ours[@]}" -q -n 20 -w "$work/victim" || fail "no recording"
	cp "$work/victim" "$work/kept"
	dir=$work/dir
	mkdir "$dir"
	cp "$work/victim" "$dir/r"
	ln -s "$work/victim" "$dir/link"
	chown -hR 65534:65534 "$dir"
	/usr/bin/python3 - "$dir" <<-'END' &
		import ctypes, sys
		libc = ctypes.CDLL(None)
		one, other = (f"{sys.argv[1]}/{name}".encode() for name in ("r", "link"))
		while True:
		    libc.renameat2(-100, one, -100, other, 2)  # RENAME_EXCHANGE
	END
	exchanger=$!
	written=0
	for i in $(seq 300); do
		[ $((i % 2)) = 0 ] && output=record:$dir/r || output=file:$dir/r
		$netlog -q -r "$work/kept" -o "$output" 2>/dev/null && written=$((written + 1))
		cmp -s "$work/victim" "$work/kept" || fail "root's file was written: $output, try $i"
	done
	kill $exchanger
	echo "# $written of 300 were written"
	[ $written -gt 0 ] || fail "nothing was ever written: no test"
}

# By his link; and what was open goes on.
test_a_file_that_anothers_link_has_replaced_is_gone_on_with() {
	file=$work/lines
	netlog_on "$file" $netlog "${ours[@]}" -o "file:$file"
	mv "$file" "$file.old"
	ln -s "$work/victim" "$file"
	chown -h 65534 "$file"
	kill -HUP "$pid"
	said "cannot open an output anew: Too many levels of symbolic links; going on with the old file"
	[ ! -e "$work/victim" ] || fail "it was followed"
	# one's own is followed
	rm "$file"
	ln -s "$work/far" "$file"
	kill -HUP "$pid"
	wait_for 10 test -e "$work/far" || fail "not followed: $(cat "$work/message")"
	end 0
	cat "$file.old" "$work/far" >"$work/whole"
	lines=$work/whole
	check_books
}

# A file that a pipe has replaced is watched as a pipe.
test_a_pipe_that_has_replaced_a_file_gets_all_lines() {
	wire_up
	file=$work/lines
	netlog_on "$file" $netlog "${ours[@]}" -o "file:$file"
	mv "$file" "$file.old"
	mkfifo "$file"
	exec {reader}<>"$file"
	kill -HUP "$pid"
	is_pipe() { readlink /proc/"$pid"/fd/* | grep -qx "$file"; }
	wait_for 10 is_pipe || fail "not opened: $(cat "$work/message")"
	for _ in 1 2; do
		traffic --messages 1000 --bytes 100 --reply 100
	done
	cat <&$reader >"$work/read" &
	cat_pid=$!
	end 0
	stopped() { tail -n 1 "$work/read" | grep -q '"event_type":"stop"'; }
	wait_for 10 stopped || fail "no stop line"
	kill $cat_pid
	exec {reader}>&-
	cat "$file.old" "$work/read" >"$work/whole"
	lines=$work/whole
	check_books
}

# ---- stderr, signals

# It is full before netlog starts.
test_a_stderr_that_nobody_reads_stops_nothing() {
	wire_up
	mkfifo "$work/stderr"
	exec {reader}<>"$work/stderr"
	echo "{ \"output\": \"file:$work/lines\" }" >"$work/conf"
	dd if=/dev/zero of="$work/stderr" bs=4096 oflag=nonblock status=none 2>/dev/null
	lines=$work/lines
	$netlog "${ours[@]}" -c "$work/conf" 2>&$reader &
	pid=$!
	hangs() { kill -KILL $pid && fail "it waits for who reads its messages, $1"; } # no other signal would end it
	wait_for 30 started "$lines" || hangs "at the start"
	for _ in 1 2 3; do
		kill -HUP $pid # each says three things
		traffic --messages 50
	done
	reloaded() { grep -q '"event_type":"reload"' "$lines"; }
	wait_for 10 reloaded || hangs "at a reload"
	timeout 10 dd bs=65536 iflag=nonblock status=none <&$reader >/dev/null 2>&1
	kill -HUP $pid
	read -r -t 10 -u $reader message || fail "nothing said"
	[[ $message == "netlog: "[1-9]*" messages were dropped: stderr did not take them" ]] || fail "$message"
	dd if=/dev/zero of="$work/stderr" bs=4096 oflag=nonblock status=none 2>/dev/null
	kill -TERM $pid
	ended() { ! kill -0 $pid 2>/dev/null; }
	wait_for 30 ended || hangs "at the end"
	wait $pid
	equal "exit status" $? 0
	exec {reader}>&-
	check_books
}

test_a_message_has_no_control_characters_of_what_it_quotes() {
	printf '{ "output": "file:/nonexistent/\\u001b]0;title\\u0007" }' >"$work/conf"
	status_of $netlog -c "$work/conf" -d 0.1
	equal "exit status" "$status" 78
	printf '{ "\033[31mred\233": 1 }' >"$work/conf"
	cp "$work/message" "$work/messages"
	status_of $netlog -c "$work/conf" -d 0.1
	equal "exit status" "$status" 78
	cat "$work/message" >>"$work/messages"
	status_of $netlog --events=$'\e[31mred'
	equal "exit status" "$status" 2
	cat "$work/message" >>"$work/messages"
	equal "messages" "$(wc -l <"$work/messages")" 3
	! grep -aP '[\x00-\x09\x0b-\x1f\x7f]' "$work/messages" || fail "a control character"
}

test_a_nohuped_netlog_opens_its_files_anew() {
	netlog_on "$work/lines" bash -c "trap '' HUP; exec $netlog -o file:$work/lines"
	mv "$work/lines" "$work/old"
	kill -HUP "$pid"
	wait_for 10 test -e "$work/lines" || fail "not opened anew: $(cat "$work/message")"
	end 0
	: >"$work/message"
	lines=$work/stdout
	bash -c "trap '' HUP; exec $netlog" >"$lines" 2>"$work/message" &
	pid=$!
	wait_for 30 started "$lines" || fail "no start"
	kill -HUP "$pid"
	said "SIGHUP does nothing: nohup has it ignored"
	end 0
}

# ---- what is told, and when

# It fills while netlog is stopped. A second loss is told a second after the first, at the latest; a machine that
# is busy gets some more.
test_a_loss_that_goes_on_is_told_each_second() {
	wire_up
	chatter 1
	netlog_start -e rtt --ring-size=16384 # of one type, a lost line at a time
	lost() { [ "$(grep -c '"event_type":"lost".*"where":"ring"' "$lines")" -ge "$wanted" ]; }
	for wanted in 1 2 3; do
		kill -STOP "$netlog_pid"
		sleep 0.3 # at 1000 messages a second, far more than the ring takes
		kill -CONT "$netlog_pid"
		wait_for 3 lost || fail "lost line $wanted does not come"
	done
	netlog_stop
	check_books
}

test_a_reload_that_is_refused_for_an_output_changes_no_filter() {
	wire_up
	echo "{ \"output\": \"file:$work/lines\", \"events\": \"rtt\" }" >"$work/conf"
	netlog_on "$work/lines" $netlog "${ours[@]}" -c "$work/conf"
	echo "{ \"output\": [\"file:$work/lines\", \"file:/nonexistent/x\"], \"events\": \"rtt\", \"port\": \"1\" }" >"$work/conf"
	kill -HUP "$pid"
	said "cannot open the output file:/nonexistent/x: .*going on with the old configuration"
	seen=$(wc -l <"$lines")
	traffic --messages 20
	end 0
	check_books
	[ "$(sed "1,${seen}d" "$lines" | grep -c '"event_type":"rtt"')" -gt 10 ] || fail "the new filter is in force"
}

run_tests
