"""What the codes of the data are called in Chinese and English, for pages that people read."""

#: By code, whichever field has it.
WORDS: dict[str, tuple[str, str]] = {
    # levels of platforms and regions
    "national": ("国家级", "national"), "provincial": ("省级", "provincial"), "municipal": ("市级", "municipal"),
    "county": ("县级", "county"), "province": ("省", "province"), "city": ("市", "city"), "town": ("镇、街道", "town"),
    "zone": ("功能区", "zone"), "area": ("片区", "area"), "place": ("地点", "place"),
    # status of platforms and documents
    "existing": ("已有", "existing"), "building": ("在建", "being built"), "planned": ("规划", "planned"),
    "final": ("正式", "final"), "draft": ("草案", "draft"),
    # how a geometry is known
    "administrative": ("行政区", "division"), "traced": ("描绘", "traced"), "point": ("定位点", "point"),
    "schematic": ("示意", "schematic"), "county_only": ("只知所在县", "county only"),
    "city_only": ("只知所在市", "city only"), "none": ("没有位置", "no position"),
    # roles in a layout
    "corridor": ("廊", "corridor"), "core": ("核", "core"), "section": ("段", "section"), "node": ("节点", "node"),
    "group": ("组团", "group"), "enclave": ("飞地", "enclave"), "points": ("多点", "points"),
    # values of indicators
    "actual": ("实际", "actual"), "flash": ("快报", "flash"), "target": ("目标", "target"),
    "exact": ("等于", "exactly"), "ge": ("不低于", "at least"), "gt": ("高于", "more than"),
    "le": ("不高于", "at most"), "lt": ("低于", "less than"), "approx": ("约", "about"), "rank": ("名次", "rank"),
    "text": ("文字", "text"), "missing": ("缺", "missing"), "figure": ("数值", "figure"),
    "higher": ("越高越好", "higher"), "lower": ("越低越好", "lower"), "neither": ("不论高低", "neither"),
    # relations of industries, and of a place to what lies inside
    "narrower": ("下级", "narrower"), "same": ("相同", "same"), "overlaps": ("交叉", "overlaps"),
    "position": ("按定位点", "by anchor point"), "declared": ("按文件所称", "as documents name it"),
    "intersects": ("按图形相交", "by overlapping shapes"),
    # lists of tasks
    "task": ("任务", "task"), "carrier_task": ("载体任务", "task of a carrier"),
    "park_target": ("园区目标", "target of a park"), "safeguard": ("保障措施", "safeguard"),
    "goal": ("总体目标", "goal"), "reform": ("改革事项", "reform"), "start_area": ("启动区", "start area"),
    # the composite index
    "haining-areas": ("海宁各片区", "areas of Haining"), "counties": ("嘉兴各县（市、区）", "counties of Jiaxing"),
    "minmax": ("极差归一", "min–max"), "zscore": ("标准分", "z-score"), "exclude": ("缺者不排", "left out"),
    "reweight": ("权重分给其余", "weight to the others"), "lowest": ("按最低者计", "the lowest there is"),
    # sources of English names
    "printed": ("文件所印", "printed"), "own translation": ("自译", "own translation"),
}  # fmt: skip
