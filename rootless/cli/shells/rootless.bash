# bash completion for rootless
_rootless() {
    local others word line
    local -a lines
    mapfile -t lines < <("${COMP_WORDS[0]}" __complete bash "$COMP_WORDBREAKS" \
        "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    others=${lines[0]-files}
    COMPREPLY=()
    for line in "${lines[@]:1}"; do
        COMPREPLY+=("${line%%$'\t'*}")
    done
    word=${COMPREPLY[0]-}
    case $word in
        *[:=]) compopt -o nospace 2>/dev/null ;;
    esac
    if [ "$others" = files ]; then
        compopt -o default 2>/dev/null
    elif [ "$others" = folders ]; then
        compopt -o dirnames 2>/dev/null
    fi
}
complete -F _rootless rootless
