# Measures the command of a job, which is `the_command`; $notes.* are its notes.
notes=${_CONDOR_SCRATCH_DIR:-$PWD}/.condorsweep

# Note the largest sums of resident pages and of virtual bytes over the processes of this job, until ended.
watch_memory() {
    local line fields session process rss vms most_rss=0 most_vms=0 pause=0.1
    read -r line < /proc/$$/stat
    fields=(${line##*) })
    session=${fields[3]}

    while true; do
        rss=0 vms=0
        for process in /proc/[0-9]*; do
            read -r line < "$process/stat" || continue
            fields=(${line##*) })
            case $process in /proc/$$ | /proc/$BASHPID) continue ;; esac
            if [ "${fields[3]}" = "$session" ]; then
                rss=$((rss + fields[21])) vms=$((vms + fields[20]))
            fi
        done

        if [ $rss -gt $most_rss ] || [ $vms -gt $most_vms ]; then
            most_rss=$((rss > most_rss ? rss : most_rss)) most_vms=$((vms > most_vms ? vms : most_vms))
            echo "$most_rss $most_vms" > "$notes".new
            mv "$notes".new "$notes".most
        fi
        [ $SECONDS -lt 20 ] || pause=5
        sleep $pause
    done 2> /dev/null
}

# Print a number of thousandths with two decimals.
decimal() {
    printf '%d.%02d' $(($1 / 1000)) $(($1 % 1000 / 10))
}

# Print what was measured, in the columns of Snakemake; what nobody measured is NA.
record() {
    local wall user sys cpu rss=NA vms=NA days page
    page=$(getconf PAGESIZE 2> /dev/null || echo 4096)
    read -r wall user sys < "$notes".time
    wall=$((10#${wall/[.,]/})) cpu=$((10#${user/[.,]/} + 10#${sys/[.,]/}))

    if [ -s "$notes".most ]; then
        read -r rss vms < "$notes".most
        rss=$(decimal $((rss * page * 125 / 131072))) vms=$(decimal $((vms / 1024 * 125 / 128)))
    fi
    case $((wall / 86400000)) in
        0) days='' ;;
        1) days='1 day, ' ;;
        *) days="$((wall / 86400000)) days, " ;;
    esac

    decimal $wall
    printf '\t%s%d:%02d:%02d' "$days" $((wall / 3600000 % 24)) $((wall / 60000 % 60)) $((wall / 1000 % 60))
    printf '\t%s' "$rss" "$vms" NA NA NA NA "$(decimal $((cpu * 100000 / (wall > 0 ? wall : 1))))"
    printf '\t%s\n' "$(decimal $cpu)"
}

# Run the command so often, and write a line of the benchmark each time.
measured() {
    local repeats=$1 benchmark=$2 status=0 watcher TIMEFORMAT='%3R %3U %3S'
    printf 's\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n' > "$benchmark"

    while [ $status = 0 ] && [ $((repeats--)) -gt 0 ]; do
        rm -f "$notes".most
        SECONDS=0
        watch_memory &
        watcher=$!
        { time the_command 2>&3; } 3>&2 2> "$notes".time
        status=$?
        kill $watcher
        wait $watcher 2> /dev/null
        record >> "$benchmark"
    done
    return $status
}
