# Draws curves.svg. plot.ts tells where the tables are (folder), where the picture goes (picture)
# and what it was measured on (machine).

set terminal svg size 1240,1160 font "Helvetica,13" background "#ffffff"
set output picture
set datafile separator tab
set datafile columnheaders

set border 3 lw 1 lc rgb "#888888"
set tics nomirror out textcolor rgb "#333333"
set grid ytics lw 0.5 lc rgb "#dddddd"
set style line 1 lc rgb "#0b6e99" lw 2 pt 7 ps 0.5
set style line 2 lc rgb "#d9730d" lw 2 pt 5 ps 0.5
set style line 3 lc rgb "#0f7b6c" lw 2 pt 9 ps 0.6
set key reverse Left samplen 2 spacing 1.2 textcolor rgb "#333333"

table(name) = sprintf("%s/%s.tsv", folder, name)
only(protocol, value) = strcol("protocol") eq protocol ? value : NaN
plain = "hubbub.v1"
lines = "hubbub.v1.lines"

set multiplot layout 3,3 title sprintf("How cost grows ({/*0.8 %s})", machine) \
  margins 0.06,0.985,0.06,0.9 spacing 0.065,0.135

array Sweep[3] = ["members", "rooms", "flight"]
array Title[3] = ["one room, 64 messages in flight", \
  "1,000 members, 8 messages in flight a room", "one room of 500"]
array Label[3] = ["members", "rooms", "messages in flight"]

# First row: what gets through. Second row: how long it takes.
set logscale xy
do for [row = 1:2] {
  do for [column = 1:3] {
    set title sprintf("{/:Bold %s}\n%s", row == 1 ? "Deliveries a second" : \
      "Milliseconds from sender to member, median and 99 %", Title[column])
    set xlabel Label[column] offset 0,0.3
    if (row == 1) { set yrange [1e4:1e7]; set format y "%.0s %c" }
    if (row == 2) { set yrange [0.5:2000]; set format y "%g" }
    set xrange [*:*]
    if (column == 2) { set xrange [0.8:700] }
    if (row == 1 && column == 1) { set key bottom left } else { unset key }
    if (row == 1) {
      plot table(Sweep[column]) using "x":(only(lines, column("out_per_s"))) \
             with linespoints ls 1 title "many in a frame (hubbub.v1.lines)", \
           "" using "x":(only(plain, column("out_per_s"))) \
             with linespoints ls 2 title "one in a frame (hubbub.v1)"
    } else {
      plot table(Sweep[column]) using "x":(only(lines, column("p50_ms"))) with linespoints ls 1, \
           "" using "x":(only(lines, column("p99_ms"))) with lines ls 1 lw 1 dt 2, \
           "" using "x":(only(plain, column("p50_ms"))) with linespoints ls 2, \
           "" using "x":(only(plain, column("p99_ms"))) with lines ls 2 lw 1 dt 2
    }
  }
}

# Third row: isolates, and the length of the log.
unset logscale
set key top left
set format y "%g"
set title "{/:Bold Deliveries a second of two isolates}\nas a multiple of one; load on the same processors"
set xlabel ""
set xrange [-0.6:3.6]
set yrange [0:2.2]
set boxwidth 0.5
set style fill solid 0.85 noborder
plot table("isolates") every 2::1 using 0:"ratio":xtic(sprintf("%s\n%s", strcol("rooms_text"), \
       strcol("protocol") eq lines ? "lines" : "plain")) with boxes ls 1 title "measured", \
     "" every 2::1 using 0:"ratio_expected" with points ls 2 ps 1 \
       title "if a delivery cost no more CPU", \
     1 with lines lc rgb "#888888" dt 3 notitle

set logscale x
set xrange [60:1.6e6]
set yrange [0:*]
set offsets 0,0,graph 0.4,0
set format x "%.0s%c"
set xlabel "messages in the log" offset 0,0.3
set title "{/:Bold Milliseconds to join}\nwith a history of 10"
plot table("log") using "messages":"open_ms" with linespoints ls 1 \
       title "room not in memory, fresh server", \
     "" using "messages":"join_ms" with linespoints ls 2 title "room in memory"

set title "{/:Bold Milliseconds for a page of 40}\nby HTTP"
plot table("log") using "messages":"newest_ms" with linespoints ls 1 title "newest", \
     "" using "messages":"before_ms" with linespoints ls 2 title "before the middle", \
     "" using "messages":"after_ms" with linespoints ls 3 title "after the middle"
unset multiplot
